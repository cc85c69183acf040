"""The app's settings: the one place that reads the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlevents.errors import ConfigError
from mlevents.registry import did_you_mean
from mlevents.tag_interval import read_tag_schedule

MODES = ("live", "shadow", "disabled")
KEY_VAULT_REFERENCE = "@microsoft.keyvault("
"""How a setting begins that Azure could not replace by the secret that it refers to."""
PUBLIC_RESOURCE_MANAGER = "https://management.azure.com"

_THIS_MACHINE = ("localhost", "127.0.0.1", "0.0.0.0")
_ADDRESS = re.compile(r"(https://[\w.-]+|http://(localhost|127\.0\.0\.1))(:\d+)?(/[\w.~-]+)*/?", re.ASCII)
MOST_LOOPS = 1000
"""The greatest `loop_limit`: what a budget can be."""
SETTING_NAMES = (
    "MLEVENTS_ADDRESS",
    "MLEVENTS_DEAD_LETTERS",
    "MLEVENTS_ENV",
    "MLEVENTS_MODE",
    "MLEVENTS_LOOP_LIMIT",
    "MLEVENTS_MAX_DEPTH",
    "MLEVENTS_PRIVATE_HOSTS",
    "MLEVENTS_RECENT_EVENTS",
    "MLEVENTS_RECENT_EVENTS_DAYS",
    "MLEVENTS_RESOURCE_MANAGER",
    "MLEVENTS_RULES",
    "MLEVENTS_SECRET",
    "MLEVENTS_TAG_WATCH",
)
KEY_VAULT_REMEDY = (
    "set the secret in the vault, give the app's identity the role Key Vault Secrets User there, "
    "then restart the app"
)


def is_key_vault_reference(value: str | None) -> bool:
    """Whether a setting holds a Key Vault reference instead of the secret."""
    return (value or "").strip().casefold().startswith(KEY_VAULT_REFERENCE)


def refuse_key_vault_reference(name: str, value: str | None) -> None:
    """Raise ConfigError for a Key Vault reference that Azure has not resolved; it is never quoted."""
    if is_key_vault_reference(value):
        raise ConfigError(f"the app setting '{name}' still reads @Microsoft.KeyVault(…): {KEY_VAULT_REMEDY}")


def find_unresolved_references(environment: Mapping[str, str] = os.environ) -> list[str]:
    """One line for each setting, named by rules or not, whose Key Vault reference Azure has not resolved."""
    names = sorted(name for name, value in environment.items() if is_key_vault_reference(value))
    return [
        f"the app setting '{name}' still reads @Microsoft.KeyVault(…): {KEY_VAULT_REMEDY}" for name in names
    ]


def find_default_rules(folder: Path) -> Path:
    """The rules where no setting names them: `rules.yaml`, or else the folder `rules`."""
    file, rules = folder / "rules.yaml", folder / "rules"
    return rules if rules.is_dir() and not file.exists() else file


def find_app_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of the Function App, where host.json is: the host names it, else it is the current one."""
    return Path(environment.get("AzureWebJobsScriptRoot") or ".")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose for this app.

    `rules` is the rule file, or a folder of rule files; `mode` makes every rule at least as careful
    (shadow before live, disabled before shadow); `resource_manager`
    is the Azure Resource Manager endpoint, another one in a sovereign cloud or the sandbox;
    `recent_events` is how many events `GET events` remembers, 0 for none, and `recent_events_days` for how
    long. `max_depth` is how many responses may cause one another; `loop_limit` is the budget a day of a rule
    that may cause its own events, 0 for none; `secret` goes into the names and marks of
    what steps start, so that nobody can plant them; `environment` answers `{setting: NAME}`, or else
    `defaults`, which come from the file of the `rule_environment`, such as `prod`. `private_hosts` are the
    receivers of messages that may have a private address, in small letters; `*` stands for all.
    `dead_letters` is the address of the container of dead letters, empty for none. `tag_schedule` says
    when the tags of models are compared, as NCRONTAB. `address` is where people and services reach the app,
    where that is not the address that Azure gives it.
    """

    rules: Path = Path("rules.yaml")
    mode: str | None = None
    resource_manager: str = PUBLIC_RESOURCE_MANAGER
    max_depth: int = 3
    loop_limit: int = 20
    recent_events: int = 500
    recent_events_days: int = 7
    secret: str = field(default="", repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    rule_environment: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    private_hosts: frozenset[str] = frozenset()
    dead_letters: str = ""
    tag_schedule: str = "0 1/5 * * * *"
    address: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings of this process; raises ConfigError for a value that cannot be used."""
        _refuse_references(environment)
        root = find_app_folder(environment)
        manager = environment.get("MLEVENTS_RESOURCE_MANAGER") or PUBLIC_RESOURCE_MANAGER
        rules = environment.get("MLEVENTS_RULES")
        return cls(
            rules=(root / rules if rules else find_default_rules(root)).resolve(),
            mode=_read_mode(environment),
            resource_manager=manager.rstrip("/"),
            max_depth=_read_depth(environment),
            loop_limit=min(_read_count(environment, "MLEVENTS_LOOP_LIMIT", 20), MOST_LOOPS),
            recent_events=_read_count(environment, "MLEVENTS_RECENT_EVENTS", 500),
            recent_events_days=_read_count(environment, "MLEVENTS_RECENT_EVENTS_DAYS", 7),
            # without one of its own, the app falls back to another secret that each app has
            secret=environment.get("MLEVENTS_SECRET") or environment.get("AzureWebJobsStorage") or "",
            environment=environment,
            rule_environment=environment.get("MLEVENTS_ENV") or "",
            private_hosts=_read_hosts(environment.get("MLEVENTS_PRIVATE_HOSTS") or ""),
            dead_letters=environment.get("MLEVENTS_DEAD_LETTERS") or "",
            tag_schedule=read_tag_schedule(environment),
            address=_read_address(environment.get("MLEVENTS_ADDRESS") or ""),
        )

    @property
    def values(self) -> dict[str, str]:
        """Every app setting, with the defaults of the environment's file."""
        return {**self.defaults, **{name: text for name, text in self.environment.items() if text}}

    def find_address(self) -> str:
        """Where the app answers, such as `https://app.azurewebsites.net`; raises ConfigError if unknown.

        It is `address`, else what the Functions host says in `WEBSITE_HOSTNAME`.
        """
        if self.address:
            return self.address
        host = self.environment.get("WEBSITE_HOSTNAME", "")
        if not host:
            raise ConfigError("the address of the app is unknown: set MLEVENTS_ADDRESS")
        return f"{'http' if host.partition(':')[0] in _THIS_MACHINE else 'https'}://{host}"

    def value(self, name: str) -> str:
        """The app setting `name`; raises ConfigError when it is not set, or empty."""
        found = self.environment.get(name)
        refuse_key_vault_reference(name, found)
        if value := found or self.defaults.get(name):
            return value
        others = (other for other, text in self.environment.items() if text and other != name)
        raise ConfigError(
            f"the app setting '{name}' is {'not set' if found is None else 'empty'}"
            f"{did_you_mean(name, others)}: "
            "set it on the Function App, or in local.settings.json "
            f"(on Azure: `az functionapp config appsettings set --settings {name}=<value>`)"
        )


def _read_mode(environment: Mapping[str, str]) -> str | None:
    mode = environment.get("MLEVENTS_MODE") or None
    if mode not in (None, *MODES):
        raise ConfigError(
            f"MLEVENTS_MODE is '{mode}'{did_you_mean(mode, MODES)}: "
            f"set it to one of {', '.join(MODES)}, or leave it out"
        )
    return mode


def _refuse_references(environment: Mapping[str, str]) -> None:
    for name in sorted(set(SETTING_NAMES) & set(environment)):
        refuse_key_vault_reference(name, environment[name])


def _read_count(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) <= 2000):
        raise ConfigError(f"{name} is '{text:.100}': set it to a whole number from 0 to 2000")
    return int(text)


def _read_hosts(text: str) -> frozenset[str]:
    return frozenset(text.lower().replace(",", " ").split())


def _read_address(text: str) -> str:
    if text and not _ADDRESS.fullmatch(text):
        raise ConfigError(f"MLEVENTS_ADDRESS is '{text:.100}': set it to one such as https://ml.example.com")
    return text.rstrip("/")


def _read_depth(environment: Mapping[str, str]) -> int:
    depth = environment.get("MLEVENTS_MAX_DEPTH") or "3"
    if not (depth.isascii() and depth.isdigit()) or int(depth) < 1:
        raise ConfigError(f"MLEVENTS_MAX_DEPTH is '{depth}': set it to a whole number from 1")
    return int(depth)
