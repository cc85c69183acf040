"""A managed online deployment in the CLI v2 schema, translated for Resource Manager without azure-ai-ml.

Importing azure-ai-ml takes most of a second, and the first deployment of a process would wait for it. So the
keys that nearly every document has are translated here; a test compares the result with that of azure-ai-ml.

https://learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mlevents.services.machine_learning.resource_ids import ASSET_NAME

_REGISTRIES = "azureml://registries/"
_ENVIRONMENT = re.compile(rf"azureml:({ASSET_NAME.pattern}[:@]{ASSET_NAME.pattern})", re.ASCII)
_LONGEST = 10**9
"""The longest time in a document, in its unit."""

type _Reader = Callable[[Any], Any]
"""Translates one value, and raises UntranslatedError for one that only azure-ai-ml may judge."""
type _Fields = Mapping[str, tuple[str, _Reader]]
"""For each key its name in Resource Manager, and the reader of its value."""


class UntranslatedError(ValueError):
    """A part of a document that this module does not translate; it may be valid or not."""


def translate_deployment(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """`properties`, `sku` and `tags` for the PUT, or None for a document that azure-ai-ml must read.

    The model is not translated. The environment and the code are references as in the document, an
    environment without its prefix `azureml:`.
    """
    try:
        around = {key: read(document[key]) for key, read in _AROUND.items() if key in document}
        own = {key: value for key, value in document.items() if key not in _AROUND}
        properties = _read_fields(DEPLOYMENT_FIELDS, "instance_type")(own)
    except UntranslatedError:
        return None
    capacity = {"capacity": around["instance_count"]} if "instance_count" in around else {}
    return {
        "properties": {
            "endpointComputeType": "Managed",
            "properties": {},
            "environmentVariables": {},
            "appInsightsEnabled": False,
            **properties,
        },
        "sku": {"name": "Default", **capacity},
        "tags": around.get("tags", {}),
    }


def _read_exactly(*kinds: type) -> _Reader:
    def read(value: Any) -> Any:
        if type(value) in kinds:
            return value
        raise UntranslatedError

    return read


_read_flag, _read_count = _read_exactly(bool), _read_exactly(int)


def _read_text(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise UntranslatedError


def _read_member(**members: str) -> _Reader:
    def read(value: Any) -> str:
        if _read_text(value) in members:
            return members[value]
        raise UntranslatedError

    return read


def _read_map(value: Any) -> dict[str, Any]:
    read = _read_exactly(str, int, bool)
    return {_read_text(key): read(member) for key, member in _read_exactly(dict)(value).items()}


def _read_time(milliseconds: int) -> _Reader:
    """Reads a number of units, each of so many milliseconds, as an ISO 8601 duration."""

    def read(value: Any) -> str:
        if 0 < _read_count(value) < _LONGEST:
            return _format_duration(value * milliseconds)
        raise UntranslatedError

    return read


def _format_duration(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"H": hours, "M": minutes, "S": f"{rest / 1000:.3f}".rstrip("0").rstrip(".") if rest else 0}
    time = "".join(f"{number}{unit}" for unit, number in parts.items() if number)
    return "P" + f"{days}D" * bool(days) + f"T{time}" * bool(time)


def _read_environment(value: Any) -> str:
    if _read_text(value).startswith(_REGISTRIES):
        return str(value)
    if found := _ENVIRONMENT.fullmatch(value):
        return found[1]
    raise UntranslatedError


def _read_fields(fields: _Fields, *required: str) -> _Reader:
    def read(value: Any) -> dict[str, Any]:
        found = _read_exactly(dict)(value)
        if not set(required) <= found.keys() <= fields.keys():
            raise UntranslatedError
        return {fields[key][0]: fields[key][1](member) for key, member in found.items()}

    return read


_REQUEST: _Fields = {
    "request_timeout_ms": ("requestTimeout", _read_time(1)),
    "max_concurrent_requests_per_instance": ("maxConcurrentRequestsPerInstance", _read_count),
    "max_queue_wait_ms": ("maxQueueWait", _read_time(1)),
}
_PROBE: _Fields = {
    "initial_delay": ("initialDelay", _read_time(1000)),
    "period": ("period", _read_time(1000)),
    "timeout": ("timeout", _read_time(1000)),
    "success_threshold": ("successThreshold", _read_count),
    "failure_threshold": ("failureThreshold", _read_count),
}
_SCALE: _Fields = {"type": ("scaleType", _read_member(default="Default"))}
_CODE: _Fields = {"code": ("codeId", _read_text), "scoring_script": ("scoringScript", _read_text)}
_AROUND: Mapping[str, _Reader] = {
    "$schema": _read_text,
    "type": _read_member(managed="Managed"),
    "instance_count": _read_count,
    "tags": _read_map,
}
"""The keys of a document that are not among the properties."""
DEPLOYMENT_FIELDS: _Fields = {
    "description": ("description", _read_text),
    "properties": ("properties", _read_map),
    "environment": ("environmentId", _read_environment),
    "environment_variables": ("environmentVariables", _read_map),
    "code_configuration": ("codeConfiguration", _read_fields(_CODE, *_CODE)),
    "instance_type": ("instanceType", _read_text),
    "app_insights_enabled": ("appInsightsEnabled", _read_flag),
    "model_mount_path": ("modelMountPath", _read_text),
    "scale_settings": ("scaleSettings", _read_fields(_SCALE, *_SCALE)),
    "request_settings": ("requestSettings", _read_fields(_REQUEST)),
    "liveness_probe": ("livenessProbe", _read_fields(_PROBE)),
    "readiness_probe": ("readinessProbe", _read_fields(_PROBE)),
    "egress_public_network_access": (
        "egressPublicNetworkAccess",
        _read_member(enabled="enabled", disabled="disabled"),
    ),
}
"""The other keys that are translated; a document with one more is left to azure-ai-ml."""
