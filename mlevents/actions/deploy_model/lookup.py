"""Look endpoints and deployments up; Azure's answers may be wrong for a moment.

A GET may answer 404 for a resource that exists, and a list may be empty or incomplete (eventual consistency,
regional failover). So a resource is absent only when neither shows it. Azure deletes no deployment with
traffic, so a deployment in the endpoint's traffic maps always exists.
"""

from collections.abc import Iterable

from mlevents.actions.deploy_model.traffic_map import DeploymentNames, traffic_holders
from mlevents.errors import TransientError
from mlevents.services.machine_learning.online_endpoints import OnlineEndpoints
from mlevents.services.machine_learning.states import DeploymentState, EndpointState

LOOKS_UNTIL_ABSENT = 6
"""How often a resource must be absent before it counts as deleted, over about a minute."""


def find_endpoint(endpoints: OnlineEndpoints, name: str) -> EndpointState | None:
    """The endpoint, or None if it does not exist; raises TransientError while the answers contradict."""
    state = endpoints.endpoint(name)
    if state is None and name in DeploymentNames(endpoints.names()):
        raise TransientError(
            f"Azure answered 404 for endpoint '{name}', which its list of endpoints shows: it is read again",
            busy=True,
        )
    return state


def find_deployment(endpoints: OnlineEndpoints, endpoint: str, name: str) -> DeploymentState | None:
    """The deployment, or None if it does not exist; raises TransientError while the answers contradict."""
    state = endpoints.deployment(endpoint, name)
    if state is None:
        confirm_absence(endpoints, endpoint, name)
    return state


def confirm_absence(endpoints: OnlineEndpoints, endpoint: str, name: str) -> tuple[DeploymentState, ...]:
    """After a 404 for a deployment, list the others; raises TransientError when the 404 was wrong."""
    holder = find_endpoint(endpoints, endpoint)
    if holder is None:
        return ()
    listed = endpoints.deployments(endpoint)
    known = [one.name for one in listed]
    if name in DeploymentNames([*known, *traffic_holders(holder.traffic), *traffic_holders(holder.mirror)]):
        raise TransientError(
            f"Azure answered 404 for deployment '{name}' of endpoint '{endpoint}', which exists: it is read "
            "again",
            busy=True,
        )
    return listed


def find_deployments(
    endpoints: OnlineEndpoints, endpoint: str, names: Iterable[str]
) -> dict[str, DeploymentState | None]:
    """Each of these deployments, None for a deleted one; each is read by name, not from a list."""
    return {name: find_deployment(endpoints, endpoint, name) for name in names}


def list_deployments(endpoints: OnlineEndpoints, state: EndpointState) -> tuple[DeploymentState, ...]:
    """Every deployment of an endpoint; those with traffic even when the list lacks them."""
    listed = endpoints.deployments(state.name)
    known = DeploymentNames(one.name for one in listed)
    missing = [
        name
        for name in DeploymentNames([*traffic_holders(state.traffic), *traffic_holders(state.mirror)])
        if name not in known
    ]
    found = find_deployments(endpoints, state.name, missing).values()
    return (*listed, *(one for one in found if one))
