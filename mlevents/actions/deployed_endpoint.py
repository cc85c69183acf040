"""The endpoint that a response deployed to: what `${endpoint.…}` and the templates of messages read."""

from collections.abc import Mapping
from typing import Any

ENDPOINT_FIELDS = ("endpoint", "workspace")
"""What is read of a step's result."""


def find_deployed(names: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of a deployment: the failed one's report, else the result of the last step that has one.

    `names` are those of a step, with `steps` and `failure`.
    """
    steps = [*_map(names, "steps").values(), _map(names, "failure")]
    return next((one for one in reversed(steps) if isinstance(one, Mapping) and one.get("endpoint")), {})


def read_endpoint(names: Mapping[str, Any]) -> dict[str, str]:
    """`name` and, where it is not the event's, `workspace` of that endpoint, else of the event's service."""
    name, workspace = (find_deployed(names).get(field) for field in ENDPOINT_FIELDS)
    found = {"name": name or _map(names, "deployment").get("service"), "workspace": workspace}
    return {key: text for key, text in found.items() if isinstance(text, str) and text}


def _map(names: Mapping[str, Any], root: str) -> Mapping[str, Any]:
    found = names.get(root)
    return found if isinstance(found, Mapping) else {}
