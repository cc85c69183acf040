"""Before the code is there: the app's rights on workspaces, factories and targets that are not its own."""

from collections.abc import Mapping
from typing import Any

from infra.hooks.needs import ArmId, read_needs
from infra.hooks.parameters import read_parameters
from infra.hooks.preflight import check_rules
from infra.hooks.programs import az, deploy_template, needed, say
from infra.hooks.required_settings import check_settings
from infra.hooks.running_rollouts import name_rollouts
from infra.hooks.stream_targets import find_missing_targets, read_targets


def check_and_grant(environment: Mapping[str, str]) -> None:
    """Before code is deployed: refuse rules with problems, give the app its rights, name running rollouts."""
    check_rules(environment)
    check_settings(environment, read_parameters(environment))
    grant(environment)
    name_rollouts(environment)


def grant(environment: Mapping[str, str]) -> None:
    """Give the app what its rules need, and no more; again after each change of the rules."""
    needs = read_needs(environment)
    app = needed(environment, "AZURE_FUNCTION_APP_NAME")
    parameters: dict[str, Any] = {
        "appName": app,
        "principalId": needed(environment, "MLEVENTS_PRINCIPAL_ID"),
        "workspaces": needs.allowed("workspace"),
        "factories": needs.allowed("data_factory"),
        "registries": needs.allowed("ml_registry"),
        "identities": needs.allowed("identity"),
        "targets": (targets := read_targets()),
    }
    for text in find_missing_targets(needs.users, targets):
        say(text)
    deploy_template("access.bicep", f"{app}-access", parameters, environment)


def assigned(subscription: str, principal: str) -> list[dict[str, Any]]:
    """The role assignments of an identity anywhere in a subscription."""
    listed = az("role", "assignment", "list", "--all", "--subscription", subscription)
    return [one for one in listed if one["principalId"] == principal]


def revoke(place: ArmId, app: str, principal: str) -> None:
    """Take the app's rights on one workspace, factory or target away, and the custom role with them."""
    granted = [one for one in assigned(place.subscription, principal) if ArmId(one["scope"]) == place]
    for one in granted:
        az("role", "assignment", "delete", "--ids", one["id"])
    held = {one["roleDefinitionId"].rsplit("/", 1)[-1].casefold() for one in granted}
    scope = ("--scope", place.group_id, "--subscription", place.subscription)
    for role in az("role", "definition", "list", "--custom-role-only", "true", *scope):
        if is_role_of(app, role) and (role["name"].casefold() in held or describes(role, place)):
            az("role", "definition", "delete", "--name", role["name"], *scope)


def is_role_of(app: str, role: Mapping[str, Any]) -> bool:
    """Whether access.bicep made this custom role for the app."""
    return str(role["roleName"]).startswith(f"{app} on ")


def describes(role: Mapping[str, Any], place: ArmId) -> bool:
    """Whether the role is for this very place: its description holds the resource id, names can be equal."""
    return f" in {place.text}, and no more.".casefold() in str(role.get("description") or "").casefold()


def places(subscriptions: list[str], principal: str) -> list[ArmId]:
    """The resources that an identity has rights on."""
    found = [ArmId(one["scope"]) for each in subscriptions for one in assigned(each, principal)]
    return [one for one in dict.fromkeys(found) if len(one.text.split("/")) > 8]
