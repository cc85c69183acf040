"""A right that a rollout needs only later is missed before anything is created."""

from typing import Any

import pytest

from mlevents.actions.deploy_model.action import DeployModel
from mlevents.errors import PermanentError, TransientError
from mlevents.services.permission import ML
from mlevents.services.services import Services
from tests.sandbox.arm_server import Server
from tests.sandbox.test_deploy_model_against_arm import TEMPLATE, carry, context, deploy

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
METRICS = "Microsoft.Insights/metrics/read"
CHECKS = {"checks": [{"metric": "error_rate", "max": 0.1}], "steps": [{"percent": 10, "for": "1m"}]}
SMOKE = {"smoke_test": {"request": {"input_data": [[1]]}}, "min_requests": 0}
SPEED = 6000
FILES = {"small.yaml": TEMPLATE}


def take(server: Server, *actions: str) -> None:
    mine = [one for each in server.manager.rights.app_rights() for one in each.actions]
    body = {"permissions": [{"actions": mine, "notActions": list(actions)}]}
    assert server.call("POST", "/_sandbox/permissions", json=body).status_code == 204


def action(rollout: dict[str, Any], auth_mode: str = "key") -> DeployModel:
    return DeployModel.model_validate({"template": "small.yaml", "auth_mode": auth_mode, "rollout": rollout})


def written(server: Server, endpoint: str) -> list[str]:
    """What the app has written about an endpoint."""
    entries = [one for one in server.manager.journal.entries if f"/onlineEndpoints/{endpoint}" in one.path]
    return [one.path for one in entries if one.method in ("PUT", "PATCH", "DELETE")]


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(
    ("rollout", "auth_mode", "missing", "role"),
    [
        (CHECKS, "key", METRICS, "Monitoring Reader"),
        ({"min_requests": 5, "steps": [{"percent": 10, "for": "1m"}]}, "key", METRICS, "Monitoring Reader"),
        (SMOKE, "key", f"{ML}/onlineEndpoints/listKeys/action", "AzureML Data Scientist"),
        (SMOKE, "aml_token", f"{ML}/onlineEndpoints/token/action", "AzureML Data Scientist"),
        (SMOKE, "aad_token", f"{ML}/onlineEndpoints/score/action", "AzureML Data Scientist"),
    ],
)
def test_a_missing_right_fails_before_anything_is_created(  # noqa: PLR0917
    server: Server,
    services: Services,
    rollout: dict[str, Any],
    auth_mode: str,
    missing: str,
    role: str,
    exists: bool,
) -> None:
    name = f"r-{auth_mode.replace('_', '-')}-{role[:3].lower()}{len(rollout)}-{str(exists).lower()}"
    if exists:
        mode = DeployModel.model_validate({"template": "small.yaml", "auth_mode": auth_mode})
        carry("ensure_endpoint", context(server, name), services, mode)
    before = written(server, name)
    take(server, missing)
    with pytest.raises(PermanentError, match=f"nothing was created.*{missing} .*{role}") as refused:
        carry("ensure_endpoint", context(server, name), services, action(rollout, auth_mode))
    assert "azd deploy" in str(refused.value)
    assert written(server, name) == before


def test_with_every_right_nothing_is_in_the_way(server: Server, services: Services) -> None:
    deploy(context(server, "r-fine"), services)
    done = carry("ensure_endpoint", context(server, "r-fine", "2"), services, action({**CHECKS, **SMOKE}))
    assert done.result["before"] == {"r-fine-1": 100}


def test_a_rollout_without_checks_asks_for_no_metrics(server: Server, services: Services) -> None:
    take(server, METRICS)
    plain = action({"steps": [{"percent": 100}]})
    done = carry("ensure_endpoint", context(server, "r-plain"), services, plain)
    assert done.result["before"] == {}
    assert written(server, "r-plain")


def test_rights_are_asked_for_once(server: Server, services: Services) -> None:
    server.call("DELETE", "/_sandbox/requests")
    carry("ensure_endpoint", context(server, "r-once"), services, action(CHECKS))
    asked = [one for one in server.manager.journal.entries if one.path.endswith("Microsoft.Insights/metrics")]
    assert len(asked) == 1
    assert len([one for one in server.manager.journal.entries if one.path.endswith("/r-once")]) > 2


def test_an_answer_that_passes_is_asked_for_again(server: Server, services: Services) -> None:
    server.fault(match="GET .*/r-busy/providers/Microsoft.Insights/metrics", status=503)
    with pytest.raises(TransientError, match="503"):
        action(CHECKS).ensure_endpoint(context(server, "r-busy"), services)
    assert written(server, "r-busy") == []
