"""Which environment file applies to the rules: that of MLEVENTS_ENV, or of the azd environment."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.hooks.needs import find_rules
from infra.hooks.programs import HookError, needed, run, say
from mlevents.rules.environment_file import has_environment

SETTING = "MLEVENTS_ENV"


def choose_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, with MLEVENTS_ENV where it is not set and a file has the azd environment's name."""
    name = environment.get(SETTING) or environment.get("AZURE_ENV_NAME") or ""
    if environment.get(SETTING) or not has_environment(find_rules(environment), name):
        return dict(environment)
    say(f"mlevents: environments/{name}.yaml applies to the rules")
    return {**environment, SETTING: name}


def keep_in_azd(environment: Mapping[str, str], chosen: str) -> None:
    """Put the name into azd's environment, where main.parameters.json reads it for the app."""
    if not chosen or environment.get(SETTING) == chosen:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "environment.env")
        file.write_text(f"{SETTING}='{chosen}'\n", encoding="utf-8")
        name = needed(environment, "AZURE_ENV_NAME")
        if run("azd", "env", "set", "--file", str(file), "--environment", name).returncode != 0:
            raise HookError(f"{SETTING} was not kept in the environment '{name}' of azd (see above)")
