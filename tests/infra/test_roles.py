"""The custom roles are made of actions that exist: those that the rules' elements say they need."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bicep_file import FILES

from mlevents.actions.permissions import permissions

SPECS = Path(__file__).resolve().parents[3] / "shared/specs"
VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
BEYOND_ARM = {
    f"microsoft.machinelearningservices/workspaces/{name}"
    for name in (
        "onlineendpoints/score/action",  # the data plane of an endpoint
        # learn.microsoft.com/azure/machine-learning/how-to-assign-roles, "Submit a training run"
        "environments/write",
        "environments/build/action",
        "environments/readsecrets/action",
        "metadata/artifacts/write",
        # learn.microsoft.com/azure/machine-learning/how-to-authenticate-batch-endpoint, "Configure RBAC"
        "batchendpoints/deployments/read",
        "batchendpoints/deployments/jobs/write",
        "batchendpoints/jobs/write",
        "data/versions/write",
        "datastores/write",
        "datastores/listsecrets/action",
        "experiments/runs/submit/action",
        "experiments/runs/write",
        "metadata/artifacts/read",
        "metadata/secrets/read",
        "metadata/snapshots/read",
    )
}
"""Actions that Azure documents, and that no operation in the specification at hand is behind."""


def known_actions(name: str) -> set[str]:
    """The actions of an ARM specification, in small letters."""
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"{name} is not here: the specifications lie beside the repository, if at all")
    operations: dict[str, Any] = json.loads(path.read_text())["operations"]
    return {_action(one["method"], one["url"]) for one in operations.values()}


def _action(method: str, url: str) -> str:
    resource = url.rsplit("/providers/", maxsplit=1)[-1]
    words = [word for word in resource.split("/") if not word.startswith("{")]
    return "/".join((*words, "action") if method == "POST" else (*words, VERBS[method])).lower()


def covered(action: str, known: set[str]) -> bool:
    pattern = re.escape(action.lower()).replace(r"\*", ".*")
    return any(
        re.fullmatch(pattern, one) or re.fullmatch(pattern.replace("/read", "/versions/read"), one)
        for one in known
    )


def asked(head: str) -> set[str]:
    """What the elements say they need, below this kind of resource."""
    return {one for need in permissions() for one in need.permission.actions if one.startswith(head)}


def test_an_action_on_a_workspace_exists() -> None:
    known = known_actions("aml_arm_operations.json") | BEYOND_ARM
    assert [one for one in asked("Microsoft.MachineLearningServices/") if not covered(one, known)] == []


def test_an_action_on_a_factory_exists() -> None:
    known = known_actions("adf_arm_operations.json")
    assert [one for one in asked("Microsoft.DataFactory/") if not covered(one, known)] == []


def test_no_element_asks_for_everything() -> None:
    actions = [one for need in permissions() for one in need.permission.actions]
    assert [one for one in actions if one in ("*", "*/read") or one.endswith("workspaces/*")] == []
    assert [one for one in actions if "authorization" in one.lower()] == []


def test_roles_that_templates_assign_are_those_that_elements_name() -> None:
    """A connection whose rights are data actions names a built-in role: the template must assign that one."""
    wanted = {need.permission.role.id for need in permissions() if not need.permission.actions}
    templates = "\n".join(path.read_text() for path in FILES)
    assert [role for role in wanted if role not in templates] == []
