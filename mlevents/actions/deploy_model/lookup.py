"""Looking endpoints and deployments up, by answers that may be wrong for a moment.

A GET may answer 404 for something that exists, and a list may come back empty or short (eventual
consistency, regional failover): absent is what neither of them shows. Azure deletes no deployment that
has traffic, so one that the endpoint's maps name exists in any case.
"""

from collections.abc import Iterable

from mlevents.actions.deploy_model.traffic_map import Names, serving
from mlevents.errors import TransientError
from mlevents.services.machine_learning.online_endpoints import OnlineEndpoints
from mlevents.services.machine_learning.states import DeploymentState, EndpointState

LOOKS = 6
"""How often something must be absent before it counts as deleted: for about a minute, ever more rarely."""


def find_endpoint(endpoints: OnlineEndpoints, name: str) -> EndpointState | None:
    """The endpoint, or None when there is none; raises TransientError while the answers contradict."""
    state = endpoints.endpoint(name)
    if state is None and name in Names(endpoints.names()):
        raise TransientError(
            f"Azure answered 404 for endpoint '{name}', which its list of endpoints shows: it is read again",
            busy=True,
        )
    return state


def find_deployment(endpoints: OnlineEndpoints, endpoint: str, name: str) -> DeploymentState | None:
    """The deployment, or None when there is none; raises TransientError while the answers contradict."""
    state = endpoints.deployment(endpoint, name)
    if state is not None:
        return state
    holder = find_endpoint(endpoints, endpoint)
    if holder is None:
        return None
    known = [one.name for one in endpoints.deployments(endpoint)]
    if name in Names([*known, *serving(holder.traffic), *serving(holder.mirror)]):
        raise TransientError(
            f"Azure answered 404 for deployment '{name}' of endpoint '{endpoint}', which exists: it is read "
            "again",
            busy=True,
        )
    return None


def find_deployments(
    endpoints: OnlineEndpoints, endpoint: str, names: Iterable[str]
) -> dict[str, DeploymentState | None]:
    """Each of these deployments, None for one that is gone; read one by one, not from a list."""
    return {name: find_deployment(endpoints, endpoint, name) for name in names}


def list_deployments(endpoints: OnlineEndpoints, state: EndpointState) -> tuple[DeploymentState, ...]:
    """Every deployment of an endpoint, those with traffic even where the list leaves them out."""
    listed = endpoints.deployments(state.name)
    known = Names(one.name for one in listed)
    missing = [name for name in Names([*serving(state.traffic), *serving(state.mirror)]) if name not in known]
    found = find_deployments(endpoints, state.name, missing).values()
    return (*listed, *(one for one in found if one))
