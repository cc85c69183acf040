"""References to environments and code in a deployment document, as Resource Manager wants them."""

from __future__ import annotations

import re
from typing import Any

from mlevents.errors import PermanentError
from mlevents.services.machine_learning.deployment_values import (
    KeyValue,
    UntranslatedError,
    read_filled_text,
)
from mlevents.services.machine_learning.resource_ids import (
    ASSET_NAME,
    CURATED_PREFIX,
    LATEST_LABEL,
    name_and_version,
)

_PREFIX = "azureml:"
_REGISTRIES = "azureml://registries/"
_VERSION = f"(?::{ASSET_NAME.pattern}|@{LATEST_LABEL})"
_ENVIRONMENT = re.compile(f"azureml:({ASSET_NAME.pattern}{_VERSION})", re.ASCII)


def _read_environment(value: Any) -> str:
    if read_filled_text(value).startswith(_REGISTRIES):
        return str(value)
    if found := _ENVIRONMENT.fullmatch(value):
        return found[1]
    raise UntranslatedError


def _read_code(value: Any) -> str:
    if _names_resource(value):
        return str(value)
    raise UntranslatedError


def _names_resource(value: Any) -> bool:
    """Whether a text names a resource by its id, or an asset with its version."""
    name = read_filled_text(value).removeprefix(_PREFIX)
    if name.startswith(("/", CURATED_PREFIX)):
        return True
    try:
        return name_and_version(name)[2] in {"", LATEST_LABEL}
    except PermanentError:
        return False


_REFERENCE = "a reference such as azureml:name:version"
ENVIRONMENT_REFERENCE = KeyValue(
    _REFERENCE, _read_environment, lambda value: f"{value}".startswith(_PREFIX) and _names_resource(value)
)
CODE_REFERENCE = KeyValue(_REFERENCE, _read_code)
