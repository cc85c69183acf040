"""A managed online deployment in the CLI v2 schema, translated for Resource Manager without azure-ai-ml.

Importing azure-ai-ml takes most of a second, and the first deployment of a process would wait for it. So the
keys that nearly every document has are translated here; a test compares the result with that of azure-ai-ml.
The same table of keys says what Azure ML refuses, so that a document is checked before a rule needs it.

https://learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.services.machine_learning.deployment_references import CODE_REFERENCE, ENVIRONMENT_REFERENCE
from mlevents.services.machine_learning.deployment_values import (
    ANY_MAPPING,
    ANY_TEXT,
    ANY_VALUE,
    FILLED_TEXT,
    POSITIVE_COUNT,
    TRUTH_VALUE,
    UNREAD_VALUE,
    KeyFields,
    KeyKind,
    KeyTexts,
    UntranslatedError,
    choose_word,
    measure_time,
    write_as_texts,
)
from mlevents.yamlfile.positions import PathProblem

_KUBERNETES = "kubernetes"


def translate_deployment(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """`properties`, `sku` and `tags` for the PUT, or None for a document that azure-ai-ml must read.

    The model is not translated. The environment and the code are references as in the document, an
    environment without its prefix `azureml:`.
    """
    try:
        around = {key: kind.read(document[key]) for key, kind in _AROUND.items() if key in document}
        own = {key: value for key, value in document.items() if key not in _AROUND}
        properties = _PROPERTIES.read(own)
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


def write_number_texts(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, with whole numbers as texts where Resource Manager takes only texts."""
    kinds = {**_AROUND, **{key: kind for key, (_, kind) in DEPLOYMENT_FIELDS.items()}}
    return {
        key: write_as_texts(value) if isinstance(kinds.get(key), KeyTexts) else value
        for key, value in document.items()
    }


def find_deployment_faults(document: Mapping[str, Any]) -> Iterator[PathProblem]:
    """What Azure ML refuses in a document; a Kubernetes deployment and texts with `${` are not checked."""
    kind = str(document.get("type")).lower()
    if kind != _KUBERNETES and "${" not in kind:
        yield from _DOCUMENT.find_faults({**document, "tags": document.get("tags") or {}}, "")


_SECONDS, _MILLISECONDS = measure_time("seconds", 1000), measure_time("milliseconds", 1)
_REQUEST = KeyFields(
    {
        "request_timeout_ms": ("requestTimeout", _MILLISECONDS),
        "max_concurrent_requests_per_instance": ("maxConcurrentRequestsPerInstance", POSITIVE_COUNT),
        "max_queue_wait_ms": ("maxQueueWait", _MILLISECONDS),
    }
)
_PROBE = KeyFields(
    {
        "initial_delay": ("initialDelay", _SECONDS),
        "period": ("period", _SECONDS),
        "timeout": ("timeout", _SECONDS),
        "success_threshold": ("successThreshold", POSITIVE_COUNT),
        "failure_threshold": ("failureThreshold", POSITIVE_COUNT),
    }
)
_SCALE = KeyFields({"type": ("scaleType", choose_word(default="Default"))}, ("type",))
_CODE = KeyFields(
    {"code": ("codeId", CODE_REFERENCE), "scoring_script": ("scoringScript", FILLED_TEXT)},
    ("scoring_script",),
)
_AROUND: Mapping[str, KeyKind] = {
    "$schema": UNREAD_VALUE,
    "type": choose_word(f"managed or {_KUBERNETES}", managed="Managed"),
    "instance_count": POSITIVE_COUNT,
    "tags": KeyTexts(),
}
"""The keys of a document that are not among the properties."""
DEPLOYMENT_FIELDS: Mapping[str, tuple[str, KeyKind]] = {
    "description": ("description", ANY_TEXT),
    "properties": ("properties", KeyTexts()),
    "environment": ("environmentId", ENVIRONMENT_REFERENCE),
    "environment_variables": ("environmentVariables", KeyTexts()),
    "code_configuration": ("codeConfiguration", _CODE),
    "instance_type": ("instanceType", FILLED_TEXT),
    "app_insights_enabled": ("appInsightsEnabled", TRUTH_VALUE),
    "model_mount_path": ("modelMountPath", ANY_TEXT),
    "scale_settings": ("scaleSettings", _SCALE),
    "request_settings": ("requestSettings", _REQUEST),
    "liveness_probe": ("livenessProbe", _PROBE),
    "readiness_probe": ("readinessProbe", _PROBE),
    "egress_public_network_access": (
        "egressPublicNetworkAccess",
        choose_word(enabled="enabled", disabled="disabled"),
    ),
}
"""The other keys that are translated; a document with one more is left to azure-ai-ml."""
OTHER_FIELDS: Mapping[str, KeyKind] = {
    "creation_context": UNREAD_VALUE,
    "data_collector": ANY_MAPPING,
    "endpoint_name": ANY_VALUE,
    "id": ANY_TEXT,
    "model": ANY_VALUE,
    "name": ANY_VALUE,
    "private_network_connection": TRUTH_VALUE,
    "provisioning_state": ANY_TEXT,
}
"""The keys that only azure-ai-ml reads, and those that are replaced."""
_REQUIRED = ("instance_type",)
_PROPERTIES = KeyFields(DEPLOYMENT_FIELDS, _REQUIRED)
_DOCUMENT = KeyFields(
    {
        **DEPLOYMENT_FIELDS,
        **{key: ("", kind) for key, kind in {**_AROUND, **OTHER_FIELDS}.items()},
    },
    _REQUIRED,
)
