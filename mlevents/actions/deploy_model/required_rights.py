"""The rights for the later phases of a rollout, checked before it creates anything.

Resource Manager checks rights before it checks whether a resource exists, so this works for an endpoint that
does not exist yet: 403 is a missing right, 404 is not.
"""

from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.actions.deploy_model.target import RolloutTarget
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.states import AUTH_MODES, EndpointState
from mlevents.services.permission import DATA_SCIENTIST, ML, MONITORING_READER, Role, is_allowed
from mlevents.services.services import Services

METRICS = "Microsoft.Insights/metrics/read"
KEYS = {"Key": "listKeys", "AMLToken": "token"}
"""The operation that returns an endpoint's key or token, by its authentication mode."""
SCORE = f"{ML}/onlineEndpoints/score/action"


def check_rights(
    target: RolloutTarget,
    state: EndpointState | None,
    rollout: Rollout | None,
    auth_mode: str,
    services: Services,
) -> None:
    """Raise PermanentError, with the remedy, for a missing right of the checks or the smoke test.

    `auth_mode` is for an endpoint that does not exist yet. Raises TransientError when Azure does not answer.
    """
    if rollout is None:
        return
    if rollout.checks or rollout.needed:
        _check_metrics(target)
    if rollout.smoke_test is not None:
        _check_scoring(target, state.auth_mode if state else AUTH_MODES[auth_mode], services)


def _check_metrics(target: RolloutTarget) -> None:
    place = target.machine_learning.workspace.endpoint(target.endpoint)
    refusal = target.machine_learning.metrics.refusal(place)
    if refusal is not None:
        raise _missing(METRICS, MONITORING_READER, "reading the metrics that `checks` need", refusal)


def _check_scoring(target: RolloutTarget, auth_mode: str, services: Services) -> None:
    what = "scoring, as `smoke_test` does"
    manager = services.resource_manager()
    verb = KEYS.get(auth_mode)
    if verb is not None:
        place = target.machine_learning.workspace.endpoint(target.endpoint)
        refusal = manager.refusal("POST", f"{place}/{verb}", {"api-version": "2024-04-01"}, what)
        if refusal is not None:
            raise _missing(f"{ML}/onlineEndpoints/{verb}/action", DATA_SCIENTIST, what, refusal)
        return
    grants = manager.permissions(target.machine_learning.workspace.id)
    if grants is not None and not is_allowed(grants, SCORE):
        raise _missing(SCORE, DATA_SCIENTIST, what, "no role of this identity on the workspace has it")


def _missing(action: str, role: Role, what: str, refusal: str) -> PermanentError:
    return PermanentError(
        f"nothing was created, because {what} is not allowed: give the app's identity {action} on the "
        f"workspace, by deploying the rights again (azd deploy) or by the role {role}; Azure: {refusal}"
    )
