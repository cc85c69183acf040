"""Checks the body of a PUT by the published schema of its resource."""

from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.azure.validation import find_problems

SCHEMAS = {
    "onlineEndpoints": "online_endpoint",
    "onlineEndpoints/deployments": "online_deployment",
    "jobs": "job",
    "models": "model_version",
    "components": "component_version",
    "environments": "environment_version",
    "codes": "code_version",
    "data": "data_version",
}
"""The name of the schema for each kind of resource."""
TOP_LEVEL = (
    *("id", "name", "type", "location", "tags", "properties", "identity", "kind", "sku", "plan", "etag"),
    *("zones", "managedBy", "extendedLocation", "systemData", "scale"),
)
"""What Resource Manager's own ResourceDefinition has."""


def check_body(kind: str, body: Any) -> None:
    """Accept the body of a PUT, or raise ArmError naming every problem's path."""
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content was not a JSON object.")
    unknown = sorted(set(body).difference(TOP_LEVEL))
    if unknown:
        raise ArmError(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: Could not find member "
            f"'{unknown[0]}' on object of type 'ResourceDefinition'. Path '{unknown[0]}'.",
        )
    found = find_problems(SCHEMAS[kind], body)
    if "'location' is required" in found:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if found:
        raise ArmError(400, "BadRequest", f"The request is invalid: {'; '.join(found)}.")
