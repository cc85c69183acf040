"""The custom roles are made of actions that exist: those that the rules' elements say they need.

Azure refuses a role definition as a whole (InvalidActionOrNotAction) when one of its actions fits no
operation that a resource provider has published.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlevents.actions.permissions import permissions
from mlevents.services.permission import ML, Grant
from tests.infra.bicep_file import FILES, INFRA, at, declarations, text, tree, walk

OPERATIONS = Path(__file__).resolve().parents[2] / "sandbox/azure/rights/operations.json"
BUILT_IN = {
    "AzureML Data Scientist": Grant(
        (f"{ML}/*/read", f"{ML}/*/action", f"{ML}/*/delete", f"{ML}/*/write"),
        (
            *(f"{ML}/delete", f"{ML}/write", f"{ML}/listKeys/action"),
            *(f"{ML}/computes/*/write", f"{ML}/computes/*/delete", f"{ML}/computes/listKeys/action"),
            *(f"{ML}/hubs/write", f"{ML}/hubs/delete"),
            *(f"{ML}/featurestores/write", f"{ML}/featurestores/delete"),
        ),
    ),
    "AzureML Compute Operator": Grant((f"{ML}/computes/*", f"{ML}/notebooks/vm/*")),
    "Data Factory Contributor": Grant(
        ("Microsoft.DataFactory/dataFactories/*", "Microsoft.DataFactory/factories/*")
    ),
    "Managed Identity Operator": Grant(
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            # Written `*/assign/action`; that it covers this is what the role's description says.
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        )
    ),
    "AzureML Registry User": Grant(
        (
            "Microsoft.MachineLearningServices/registries/read",
            "Microsoft.MachineLearningServices/registries/assets/*",
        )
    ),
    "Monitoring Reader": Grant(("*/read",)),
    "Reader": Grant(("*/read",)),
}
"""Definitions as learn.microsoft.com/azure/role-based-access-control/built-in-roles gives them, in part."""


def published() -> list[str]:
    operations: list[str] = json.loads(OPERATIONS.read_text())["operations"]
    return operations


def fitting(action: str) -> list[str]:
    """The published operations that an action of a role stands for."""
    pattern = re.compile(re.escape(action).replace(r"\*", ".*"), re.IGNORECASE)
    return [one for one in published() if pattern.fullmatch(one)]


def asked() -> set[str]:
    """What the elements say they need."""
    return {one for need in permissions() for one in need.permission.actions}


def test_every_action_is_a_published_operation() -> None:
    assert [one for one in sorted(asked()) if not fitting(one)] == []


def test_where_a_wildcard_is_named_the_thing_itself_is_named_too() -> None:
    """`X/*/read` does not cover `X/read`: an element that needs both must name both."""
    named = {(need.element, one) for need in permissions() for one in need.permission.actions}
    wildcards = [(element, one) for element, one in named if one.endswith("/*/read")]
    assert wildcards
    assert [one for one in wildcards if (one[0], one[1].replace("/*/read", "/read")) not in named] == []


def test_the_role_of_a_remedy_has_the_actions() -> None:
    """A person who gives the role that `doctor` names has given what is missing."""
    needed = {
        (need.permission.role.name, operation)
        for need in permissions()
        for action in need.permission.actions
        for operation in fitting(action)
    }
    assert {role for role, _ in needed} == set(BUILT_IN)
    assert [one for one in sorted(needed) if not BUILT_IN[one[0]].allows(one[1])] == []


@pytest.mark.parametrize(
    ("element", "given", "action"),
    [
        ("run_data_factory_pipeline", {}, "Microsoft.DataFactory/factories/querypipelineruns/read"),
        ("run_data_factory_pipeline", {}, "Microsoft.DataFactory/factories/querypipelineruns/action"),
        ("run_ml_pipeline", {"batch_endpoint": "b"}, f"{ML}/listStorageAccountKeys/action"),
        ("run_ml_pipeline", {"batch_endpoint": "b"}, f"{ML}/computes/listKeys/action"),
        ("run_ml_pipeline", {"batch_endpoint": "b"}, f"{ML}/datasets/unregistered/write"),
        ("deploy_model", {}, f"{ML}/onlineEndpoints/deployments/getLogs/action"),
        ("deploy_model", {}, f"{ML}/models/read"),
        ("deploy_model", {"rollout": {"checks": [{}]}}, "Microsoft.Insights/metrics/read"),
        (
            "deploy_model",
            {"rollout": {"smoke_test": {}, "min_requests": 0}},
            "Microsoft.Insights/metrics/read",
        ),
        (
            "deploy_model",
            {"rollout": {"smoke_test": {"request": {}}}},
            f"{ML}/onlineEndpoints/listKeys/action",
        ),
        (
            "deploy_model",
            {"identity": ["/subscriptions/s"]},
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        ),
    ],
)
def test_an_element_asks_for_what_its_step_does(element: str, given: dict[str, Any], action: str) -> None:
    assert action in needed(element, given)


@pytest.mark.parametrize(
    ("given", "action"),
    [
        ({"rollout": {"checks": [{}]}}, f"{ML}/onlineEndpoints/listKeys/action"),
        ({"rollout": {"steps": [{}]}}, "Microsoft.Insights/metrics/read"),
        ({"rollout": {"checks": []}}, "Microsoft.Insights/metrics/read"),
        ({"identity": []}, "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"),
    ],
)
def test_a_step_without_it_asks_for_no_more(given: dict[str, Any], action: str) -> None:
    assert action not in needed("deploy_model", given)


def needed(element: str, given: dict[str, Any]) -> set[str]:
    mine = [need.permission for need in permissions() if need.element == element]
    return {action for one in mine if one.needed(given) for action in one.actions}


def test_no_element_asks_for_everything() -> None:
    actions = [one for need in permissions() for one in need.permission.actions]
    assert [one for one in actions if one in ("*", "*/read") or one.endswith("workspaces/*")] == []
    own = "Microsoft.Authorization/permissions/read"  # what the reader itself may do
    assert {one for one in actions if "authorization" in one.lower()} <= {own}


def test_roles_that_templates_assign_are_those_that_elements_name() -> None:
    """A connection whose rights are data actions names a built-in role: the template must assign that one."""
    wanted = {need.permission.role.id for need in permissions() if not need.permission.actions}
    templates = {
        text(node).strip("'") for path in FILES for node in walk(tree(path)) if node.type == "string"
    }
    assert wanted
    assert wanted - templates == set()


@pytest.mark.parametrize(
    ("module", "scope"),
    [("workspace-role", "workspace"), ("factory-role", "factory"), ("identity-role", "identity")],
)
def test_a_role_is_assigned_on_the_resource_alone(module: str, scope: str) -> None:
    (role, assignment) = [
        one
        for target in ("roleDefinitions", "roleAssignments")
        for one in declarations(INFRA / f"modules/{module}.bicep", "resource")
        if one.target.startswith(f"Microsoft.Authorization/{target}@")
    ]
    assert at(assignment.body, "scope") == scope
    assert at(assignment.body, "properties.roleDefinitionId") == f"{role.name}.id"
    assert "actions: actions" in at(role.body, "properties.permissions")
