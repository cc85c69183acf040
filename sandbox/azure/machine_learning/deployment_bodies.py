"""The references in the body of an online deployment, and the defaults that Azure adds."""

from collections.abc import Mapping
from typing import Any

from sandbox.azure.errors import user_error
from sandbox.azure.machine_learning.assets import Assets
from sandbox.azure.machine_learning.online_state import Endpoint

PROBE = {
    "failureThreshold": 30,
    "successThreshold": 1,
    "timeout": "PT2S",
    "period": "PT10S",
    "initialDelay": "PT10S",
}
DEFAULTS: Mapping[str, Any] = {
    "environmentVariables": {},
    "appInsightsEnabled": False,
    "livenessProbe": PROBE,
    "readinessProbe": PROBE,
    "requestSettings": {
        "requestTimeout": "PT5S",
        "maxConcurrentRequestsPerInstance": 1,
        "maxQueueWait": "PT0.5S",
    },
    "scaleSettings": {"scaleType": "Default"},
}


def check_references(
    assets: Mapping[str, Assets], properties: Mapping[str, Any], sku: Mapping[str, Any]
) -> None:
    """Refuse a deployment that refers to a missing resource, or lacks one."""
    model = properties.get("model")
    for kind, reference in (
        ("models", model),
        ("environments", properties.get("environmentId")),
        ("codes", (properties.get("codeConfiguration") or {}).get("codeId")),
    ):
        if assets[kind].is_missing(reference):
            raise user_error(f"The resource {reference} was not found.", ResourceNotFound=str(reference))
    managed = properties["endpointComputeType"] == "Managed"
    if managed and not properties.get("instanceType"):
        raise user_error("InstanceType is required for a managed online deployment.")
    if sku.get("capacity", 1) < 1:
        raise user_error(f"The instance count is {sku['capacity']}: it must be 1 or more.")
    found = assets["models"].find(model or "")
    kind = (found or {"properties": {"modelType": "custom_model"}})["properties"].get("modelType")
    no_code = kind in ("mlflow_model", "triton_model") or (model or "").startswith("azureml://registries/")
    if not no_code and not properties.get("environmentId"):
        raise user_error(f"An environment is required: the model's type is {kind}, not mlflow_model.")


def check_compute(endpoint: Endpoint, properties: Mapping[str, Any]) -> None:
    """Refuse a managed deployment on a Kubernetes endpoint, and the reverse; the words are inferred."""
    wanted = properties["endpointComputeType"]
    kind = "Kubernetes" if endpoint.kubernetes else "Managed"
    if wanted != kind:
        raise user_error(
            f"The deployment's endpointComputeType is {wanted}, but endpoint {endpoint.name} is a {kind} "
            "online endpoint: the compute types of an endpoint and of its deployments must be the same.",
            InvalidComputeType=f"{wanted} deployments are not supported on {kind} endpoints.",
        )


def capacity(resource: Mapping[str, Any], otherwise: int = 1) -> int:
    """How many instances a deployment has, or a body asks for."""
    return int((resource.get("sku") or {}).get("capacity") or otherwise)


def is_scaling_only(known: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether a PUT asks for another number of instances, and for nothing else."""
    same = all(
        known["properties"].get(name) == value
        for name, value in body["properties"].items()
        if value is not None and name not in ("properties", "scaleSettings", "provisioningState")
    )
    before, after = known["properties"].get("scaleSettings"), body["properties"].get("scaleSettings")
    return same and (capacity(known) != capacity(body) or after not in (None, before))
