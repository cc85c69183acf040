"""The parameters of main.bicep: infra/main.parameters.json, filled in as azd does, and their types."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from infra.hooks.programs import INFRA, HookError
from mlevents.registry import did_you_mean

TEMPLATE = INFRA / "main.bicep"
FILE = INFRA / "main.parameters.json"
TYPES: dict[str, type] = {"bool": bool, "int": int, "array": list, "object": dict}
"""What a parameter's type is in JSON; any other is text."""

_DECLARED = re.compile(r"^param (\w+) (\w+)", re.MULTILINE)
_SECRETS = re.compile(r"^param secretSettings array = \[(.*?)\]", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")


def read_parameters(environment: Mapping[str, str], words: Iterable[str] = ()) -> dict[str, Any]:
    """What main.bicep is given: its parameters file, and over it words such as `useKeyVault=true`."""
    written = json.loads(FILE.read_text(encoding="utf-8"))["parameters"]
    found = {name: _filled(one["value"], environment) for name, one in written.items()}
    found |= dict(word.split("=", 1) for word in words)
    return {name: typed(name, value) for name, value in found.items()}


def typed(name: str, value: Any) -> Any:
    """A value as the type that main.bicep declares; raises HookError when it is none of it."""
    declared = dict(_DECLARED.findall(TEMPLATE.read_text(encoding="utf-8")))
    if name not in declared:
        raise HookError(f"infra/main.bicep has no parameter '{name}'{did_you_mean(name, declared)}")
    kind = TYPES.get(declared[name])
    if kind is None or not isinstance(value, str):
        return value
    try:
        converted = json.loads(value.casefold() if kind is bool else value)
    except json.JSONDecodeError:
        converted = None
    if type(converted) is not kind:
        raise HookError(f"the parameter '{name}' is '{value}': write it as {declared[name]}, in JSON")
    return converted


def vault_secrets(parameters: Mapping[str, Any]) -> list[str]:
    """The app settings that are read from the vault; none when there is no vault."""
    if not parameters.get("useKeyVault"):
        return []
    if "secretSettings" in parameters:
        return list(parameters["secretSettings"])
    default = _SECRETS.search(TEMPLATE.read_text(encoding="utf-8"))
    return re.findall(r"'(\w+)'", default[1]) if default else []


def own_group(environment: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    """The name of the resource group that main.bicep makes."""
    return parameters.get("resourceGroupName") or f"rg-mlevents-{environment.get('AZURE_ENV_NAME', '')}"


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    """The value with each `${NAME}` and `${NAME=default}` replaced; what is empty has the default too."""
    if isinstance(value, dict):
        return {key: _filled(inner, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, environment) for inner in value]
    if isinstance(value, str):
        return _NAMED.sub(lambda found: environment.get(found[1]) or found[2] or "", value)
    return value
