"""Which of Azure's actions a request needs, and over which scope.

As Resource Manager derives them: the types in the path are the action's name, GET is read, PUT and PATCH are
write, DELETE is delete, and a POST names its action at the end. `operations.json` holds the operations that
Microsoft publishes, which give the action its case. TABLE has the requests that need other actions.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.azure.workspace import ML, WORKSPACE_ID

OPERATIONS: Mapping[str, str] = {
    name.lower(): name
    for name in json.loads(Path(__file__).with_name("operations.json").read_text(encoding="utf-8"))[
        "operations"
    ]
}
VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
RESOURCES = "Microsoft.Resources/subscriptions"
WORKSPACES = f"{ML}/workspaces"
SCORE = f"{WORKSPACES}/onlineEndpoints/score/action"
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
METRICS = "Microsoft.Insights/metrics/read"
INVOKE = tuple(
    f"{WORKSPACES}/{tail}"
    for tail in (
        *("read", "data/versions/write"),
        *("datasets/registered/read", "datasets/registered/write"),
        *("datasets/unregistered/read", "datasets/unregistered/write"),
        *("datastores/read", "datastores/write", "datastores/listsecrets/action"),
        *("listStorageAccountKeys/action", "batchEndpoints/read", "batchEndpoints/write"),
        *("batchEndpoints/deployments/read", "batchEndpoints/deployments/write"),
        *("batchEndpoints/jobs/write", "batchEndpoints/deployments/jobs/write"),
        *("computes/read", "computes/listKeys/action"),
        *("metadata/secrets/read", "metadata/snapshots/read"),
        *("metadata/artifacts/read", "metadata/artifacts/write"),
        *("experiments/read", "experiments/runs/submit/action", "experiments/runs/read"),
        *("experiments/runs/write", "metrics/resource/write", "modules/read", "models/read"),
        *("endpoints/pipelines/read", "endpoints/pipelines/write"),
        *("environments/read", "environments/write", "environments/build/action"),
        "environments/readSecrets/action",
    )
)
"""learn.microsoft.com/azure/machine-learning/how-to-authenticate-batch-endpoint, but for reading its jobs."""
FRONT = "/mferp/managementfrontend"
"""Before a path of Resource Manager: the workspace's own front end, which asks for the same."""
QUERY = tuple(f"Microsoft.DataFactory/factories/querypipelineruns/{verb}" for verb in ("action", "read"))
REGISTRY = r"(?P<registry>/subscriptions/.*?/registries/[^/]+)"
ASSETS = f"{ML}/registries/assets"
"""What all assets of a registry ask for, whatever their kind."""
HISTORY = r"/history/v1\.0(?P<workspace>/subscriptions/.*?/workspaces/[^/]+)"
TABLE: Mapping[str, tuple[tuple[str, ...], str]] = {
    rf"POST {HISTORY}/experiments:query": ((f"{WORKSPACES}/experiments/read",), "{workspace}"),
    rf"GET {HISTORY}/experimentids/[^/]+": ((f"{WORKSPACES}/experiments/read",), "{workspace}"),
    rf"(GET|POST) {HISTORY}(?:/experimentids/[^/]+)?/runs.*": (
        (f"{WORKSPACES}/experiments/runs/read",),
        "{workspace}",
    ),
    r"POST (?P<workspace>/subscriptions/.*)?/batch/(?P<endpoint>[^/]+)/jobs": (
        INVOKE,
        "{workspace}/batchEndpoints/{endpoint}",
    ),
    r"POST (?P<subscription>/subscriptions/[^/]+)/metrics:getBatch": ((METRICS,), "{subscription}"),
    r"POST (?P<factory>/subscriptions/.*)/queryPipelineRuns": (QUERY, "{factory}"),
    rf"GET {REGISTRY}/models/.*": ((f"{ASSETS}/read",), "{registry}"),
    rf"PUT {REGISTRY}/models/.*": ((f"{ASSETS}/write",), "{registry}"),
    rf"POST {REGISTRY}/import": ((f"{ASSETS}/write",), "{registry}"),
}
"""Requests that ask for other actions than their path says; the list of operations has both of a query."""


@dataclass(frozen=True, slots=True)
class RequestedAction:
    """An action over a scope, which is an ARM id."""

    action: str
    scope: str


def requested_actions(method: str, path: str) -> tuple[RequestedAction, ...]:
    """The actions that the caller needs; none for a path outside Resource Manager."""
    path = path.removeprefix(FRONT)
    for pattern, (actions, scope) in TABLE.items():
        match = re.fullmatch(pattern, f"{method} {path}", re.IGNORECASE)
        if match:
            names = match.groupdict(WORKSPACE_ID)
            return tuple(RequestedAction(action, scope.format(**names)) for action in actions)
    if not path.lower().startswith("/subscriptions/"):
        return ()
    segments = path.strip("/").split("/")
    places = [number for number, one in enumerate(segments) if one.lower() == "providers"]
    if not places:
        kind = RESOURCES if len(segments) <= 2 else f"{RESOURCES}/resourceGroups"
        return (RequestedAction(f"{kind}/{VERBS.get(method, 'action')}", path),)
    return (_of_provider(method, segments, places[-1]),)


def _of_provider(method: str, segments: list[str], place: int) -> RequestedAction:
    """`…/providers/<namespace>/<type>/<name>/<type>…`, the last `providers` of a path being its own."""
    namespace, *rest = segments[place + 1 :] or [""]
    verbs = [VERBS[method]] if method in VERBS else [*rest[-1:], "action"]
    if method not in VERBS:
        rest = rest[:-1]
    name = "/".join((namespace, *rest[::2], *verbs))
    collection = len(rest) % 2 == 1
    end = place + 2 + len(rest) - collection
    scope = segments[:place] if collection and len(rest) == 1 else segments[:end]
    return RequestedAction(OPERATIONS.get(name.lower(), name), "/" + "/".join(scope))
