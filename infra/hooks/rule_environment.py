"""Which environment file applies to the rules: that of MLEVENTS_ENV, or of the azd environment."""

from collections.abc import Mapping

from infra.hooks.needs import find_rules
from infra.hooks.programs import keep_in_azd, say
from mlevents.rules.environment_file import has_environment

SETTING = "MLEVENTS_ENV"


def choose_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, with MLEVENTS_ENV where it is not set and a file has the azd environment's name."""
    name = environment.get(SETTING) or environment.get("AZURE_ENV_NAME") or ""
    if environment.get(SETTING) or not has_environment(find_rules(environment), name):
        return dict(environment)
    say(f"mlevents: environments/{name}.yaml applies to the rules")
    return {**environment, SETTING: name}


def keep_environment(environment: Mapping[str, str], chosen: str) -> None:
    """Keep the name in azd's environment, for the app's setting."""
    if chosen and environment.get(SETTING) != chosen:
        keep_in_azd(environment, SETTING, chosen)
