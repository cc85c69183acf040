"""`local.settings.json` beside the rules: the app settings of this machine, as Core Tools keep them.

https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file
"""

import json
from pathlib import Path
from typing import Any

from mlevents.errors import ConfigError
from mlevents.rules.rule_folder import find_project

FILE = "local.settings.json"


def read_local_settings(rules: Path) -> dict[str, str]:
    """The `Values` of the file, none if there is no file; raises ConfigError if it cannot be used."""
    file = find_project(rules) / FILE
    if not file.is_file():
        return {}
    document = _read_document(file)
    if document.get("IsEncrypted") is True:
        raise ConfigError(f"{file}: it is encrypted: run `func settings decrypt`, or remove the file")
    values = document.get("Values", {})
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: 'Values' must be an object: write names and texts in it")
    for name, value in values.items():
        if not isinstance(value, str):
            fault = f"the value of '{name}' is not a text: write it in double quotes"
            raise ConfigError(f"{file}: {fault}")
    return values


def _read_document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text: save it as UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"{file}:{error.lineno}:{error.colno}"
        raise ConfigError(f"{place}: is not JSON ({error.msg}): correct it") from error
    except RecursionError as error:
        raise ConfigError(f"{file}: is nested too deeply: write 'Values' with names and texts") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{file}: must be an object with 'Values', as local.settings.json.example is")
    return document
