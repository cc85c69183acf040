"""Would the app have every setting that its rules name? With one empty it refuses every event."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infra.hooks.needs import find_rules
from infra.hooks.parameters import vault_secrets
from infra.hooks.programs import HookError, say
from mlevents.rules.environment_file import add_environment_settings
from mlevents.rules.file import load_rules
from mlevents.settings import Settings

ALWAYS = frozenset(
    {
        "AZURE_CLIENT_ID",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_TOKEN_CREDENTIALS",
        "MLEVENTS_ADDRESS",
        "MLEVENTS_DEAD_LETTERS",
        "MLEVENTS_ENV",
        "MLEVENTS_LOOP_LIMIT",
        "MLEVENTS_MAX_DEPTH",
        "MLEVENTS_PRIVATE_HOSTS",
        "MLEVENTS_RECENT_EVENTS",
        "MLEVENTS_RECENT_EVENTS_DAYS",
        "MLEVENTS_RESOURCE_MANAGER",
        "MLEVENTS_RULES",
        "MLEVENTS_SECRET",
        "MLEVENTS_TAG_WATCH",
    }
)
"""The app settings that main.bicep fills in by itself."""
PARAMETERS = {
    "COMMUNICATION_ENDPOINT": "communicationEndpoint",
    "TEAMS_WORKFLOW_URL": "teamsWorkflowUrl",
    "MLEVENTS_MODE": "mode",
}
"""Those that it fills in from a parameter, which may be empty."""
PLATFORM = ("WEBSITE_", "APPLICATIONINSIGHTS_")
"""How those begin that are there on every Function App of ours."""
BESIDES = {
    "COMMUNICATION_ENDPOINT": "or `azd env set MLEVENTS_USE_COMMUNICATION true`, which makes one",
    "TEAMS_WORKFLOW_URL": "or `azd env set MLEVENTS_USE_KEY_VAULT true`, and put it into the vault",
}


class _Asked(dict[str, str]):
    """An environment that keeps the names it is asked for."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(environment)
        self.names: dict[str, None] = {}

    def get(self, name: str, default: Any = None) -> Any:  # what Settings.value asks by
        self.names[name] = None
        return super().get(name, default)


def named_settings(environment: Mapping[str, str]) -> list[str]:
    """The app settings that the rule file names, as `{setting: NAME}` or `${env.NAME}`."""
    asked = _Asked(environment)
    settings = replace(Settings.read(environment), environment=asked)
    load_rules(find_rules(environment), settings, require_settings=False)
    return list(asked.names)


def check_settings(environment: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    """Raise HookError when a setting that the rules name would be empty on the app."""
    named = named_settings(environment)
    defaults = add_environment_settings(Settings.read(environment), find_rules(environment)).defaults
    missing = [name for name in named if not defaults.get(name) and not _supplied(name, parameters)]
    if missing:
        lines = "".join(f"\n  {name}: {_remedy(name)}" for name in missing)
        raise HookError(
            f"the rules name settings that are empty, and the app would refuse every event:{lines}\n"
            "Or remove them from the rules. Without azd: export NAME=…, or parameters of deploy.sh"
        )
    for name in vault_secrets(parameters):
        if name in named:
            secret = name.lower().replace("_", "-")
            say(f"mlevents: {name} is the vault's secret {secret}: without it the app refuses every event")


def _supplied(name: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the app gets a value; in function-app.bicep, too, later ones win."""
    if name in vault_secrets(parameters):
        return True
    settings = parameters.get("settings") or {}
    if name in settings:
        return bool(settings[name])
    if name == "COMMUNICATION_ENDPOINT" and parameters.get("useCommunication"):
        return True
    if name in PARAMETERS:
        return bool(parameters.get(PARAMETERS[name]))
    return name in ALWAYS or name.startswith(PLATFORM)


def _remedy(name: str) -> str:
    if name in ("COMMUNICATION_ENDPOINT", "TEAMS_WORKFLOW_URL", "MLEVENTS_MODE"):
        return f"`azd env set {name} …` {BESIDES.get(name, '')}".rstrip()
    return (
        f'in infra/main.parameters.json "settings": {{"value": {{"{name}": "${{{name}}}"}}}}, '
        f"then `azd env set {name} …`"
    )
