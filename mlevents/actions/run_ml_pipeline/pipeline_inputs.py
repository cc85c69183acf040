"""The inputs of a pipeline: a rule's values for a job's file or a batch endpoint."""

from collections.abc import Mapping
from typing import Any

from mlevents.actions.documents import is_remote
from mlevents.errors import PermanentError
from mlevents.registry import did_you_mean
from mlevents.services.machine_learning.resource_ids import Workspace, name_and_version

WIRE_TYPES = {
    "uri_file": "UriFile",
    "uri_folder": "UriFolder",
    "mltable": "MLTable",
    "custom_model": "CustomModel",
    "mlflow_model": "MLFlowModel",
    "triton_model": "TritonModel",
}


def with_inputs(name: str, declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of the job in this file, with the rule's values.

    For data, a text replaces the path. Raises PermanentError for an input that the job does not have.
    """
    for key in given:
        if key not in declared:
            raise PermanentError(f"the job in '{name}' has no input '{key}'{did_you_mean(key, declared)}")
    return {key: _set(declared[key], given[key]) if key in given else declared[key] for key in declared}


def invocation_inputs(given: Mapping[str, Any], workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The inputs of a batch endpoint's job: a mapping names data, any other value is a literal."""
    return {key: _wire(key, value, workspace) for key, value in given.items()}


def _set(declared: Any, value: Any) -> Any:
    if isinstance(declared, Mapping) and "path" in declared and isinstance(value, str):
        return {**declared, "path": value}
    return value


def _wire(key: str, value: Any, workspace: Workspace) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {"jobInputType": "Literal", "value": value}
    kind, path = value.get("type", "uri_folder"), value.get("path")
    if not isinstance(kind, str) or kind not in WIRE_TYPES:
        raise PermanentError(f"input '{key}' is of type '{kind}': give one of {', '.join(WIRE_TYPES)}")
    if not isinstance(path, str) or not is_remote(path):
        raise PermanentError(f"input '{key}' has the path '{path}': name data that Azure can reach")
    return {"jobInputType": WIRE_TYPES[kind], "uri": _uri(path, workspace)}


def _uri(path: str, workspace: Workspace) -> str:
    if not path.startswith("azureml:") or path.startswith(("azureml:/", "azureml://")):
        return path.removeprefix("azureml:") if path.startswith("azureml:/s") else path
    name, version, label = name_and_version(path)
    if label:
        raise PermanentError(
            f"'{path}' names data by a label: name its version, as a batch endpoint wants it"
        )
    return workspace.asset("data", name, version)
