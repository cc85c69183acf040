"""The app settings that the rules name, as the sandbox sets them: receivers are the sandbox's inboxes.

A setting that a connection reads by `{setting: NAME}` leads to the inbox, whether or not it is set on this
machine: nobody wants to write to the real channel while trying rules. `--real NAME` uses the real value.
A setting in `${env.NAME}` keeps its value, or gets a placeholder. What has no setting, such as a `url` in
the rule file itself, cannot be replaced: `sandbox/worker/name_resolution.py` keeps it on this machine.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlevents.rules.connections import UNSET_PLACEHOLDER, find_settings
from sandbox.devops.devops import SANDBOX_PAT
from sandbox.github.callers import SANDBOX_TOKEN
from sandbox.jira.jira import SANDBOX_JIRA_TOKEN
from sandbox.rule_reading import read_readable_rules

ADDRESSES = {
    "apprise": "url",
    "email": "endpoint",
    "smtp": "host",
    "http": "base",
    "event_hub": "namespace",
    "service_bus": "namespace",
    "event_grid": "endpoint",
    "storage_queue": "account",
    "data_factory": "",
    "github": "",
    "ml_registry": "",
    "ml_workspace": "",
    "azure_devops": "",
    "jira": "",
}
"""The key of a connection that says where it leads; empty where the sandbox serves it, or its secret does."""
INSERTED = re.compile(r"(/subscriptions/)?\$\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}", re.ASCII)
ANY_TEXT = "sandbox"
OTHER_HOST = "service.sandbox.example"
"""A host that leads to the inbox in the app's process, and has a public address there."""
SIGNING_SECRET = f"whsec_{base64.b64encode(b'a secret of the sandbox').decode()}"


@dataclass(frozen=True, slots=True)
class Inboxes:
    """Where messages are taken: the HTTPS address of the inbox, and the host and port for mail.

    `github_key` gives the private key of the sandbox's GitHub App.
    """

    web: str
    host: str
    mail_port: int
    github_key: Callable[[], str] = str

    def choose_value(self, kind: str, key: str, name: str) -> str:
        """The value for the setting `name` that a connection of this type reads at a key."""
        if (kind, key) == ("github", "private_key"):
            return self.github_key()
        known = {
            ("github", "token"): SANDBOX_TOKEN,
            ("azure_devops", "token"): SANDBOX_PAT,
            ("jira", "site"): "https://sandbox.atlassian.net",
            ("jira", "token"): SANDBOX_JIRA_TOKEN,
            ("github", "base"): "https://api.github.com",
            ("apprise", "url"): f"jsons://{self.web.removeprefix('https://')}/{name}",
            ("http", "base"): f"https://{OTHER_HOST}/{name}",
            ("http", "sign"): SIGNING_SECRET,
            ("event_hub", "namespace"): "sandbox-hubs.servicebus.windows.net",
            ("service_bus", "namespace"): "sandbox-bus.servicebus.windows.net",
            ("event_grid", "endpoint"): "https://sandbox.westeurope-1.eventgrid.azure.net/api/events",
            ("storage_queue", "account"): "stsandbox",
            ("email", "endpoint"): self.web,
            ("smtp", "host"): self.host,
            ("smtp", "port"): str(self.mail_port),
            ("smtp", "tls"): "starttls",
        }
        if kind in ("email", "smtp") and key in ("sender", "to"):
            return "inbox@sandbox.example"
        return known.get((kind, key)) or (ANY_TEXT if kind in ADDRESSES else f"{self.web}/{name}")


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What the connections and workspaces of a rule file name, as far as the file can be read.

    `received` has the type and key of the connection for each `{setting: NAME}`, `inserted` the placeholder
    for each `${env.NAME}`, `literal` the connections that have their address in the rule file.
    """

    received: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    inserted: Mapping[str, str] = field(default_factory=dict)
    literal: tuple[str, ...] = ()

    @classmethod
    def read(cls, rules: Path, environment: Mapping[str, str]) -> "RuleSettings":
        """Those of a rule file or folder; nothing of one that cannot be read."""
        readable = read_readable_rules(rules, environment)
        if readable is None:
            return cls()
        source, _ = readable
        connections = _find_connections(source.written)
        inserted = dict(_find_inserted([connections, source.written.get("workspaces")]))
        literal = tuple(name for name, one in connections.items() if _has_literal_address(one))
        return cls(dict(_find_received(connections)), inserted, literal)

    def choose_values(
        self, inboxes: Inboxes, present: Mapping[str, str], real: Iterable[str]
    ) -> dict[str, str]:
        """The value of each setting that gets another one than this machine has."""
        values = {name: text for name, text in self.inserted.items() if not present.get(name)}
        for name, (kind, key) in self.received.items():
            values[name] = inboxes.choose_value(kind, key, name)
        return {name: value for name, value in values.items() if name not in real}

    def find_fault(self, present: Mapping[str, str], real: Iterable[str]) -> str | None:
        """Why real receivers cannot be used as asked for; None if they can, or if there are none."""
        for name in (wanted := list(real)):
            if name not in self.received and name not in self.literal:
                known = ", ".join([*self.received, *self.literal]) or "none"
                return f"--real '{name}': no connection has this setting: name one of {known}"
            if name in self.received and not present.get(name):
                return f"--real '{name}': this setting is not set: set it in local.settings.json"
        silent = [name for name in self.literal if name not in wanted] if wanted else []
        if silent:
            fault = f"the connection '{silent[0]}' has its address in the rule file"
            return f"{fault}, so --real would use it too: add --real {silent[0]}, or move it to a setting"
        return None


def _find_connections(written: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    section = written.get("connections")
    section = section if isinstance(section, dict) else {}
    return {str(name): one for name, one in section.items() if isinstance(one, dict)}


def _find_received(connections: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, tuple[str, str]]]:
    for one in connections.values():
        for key, value in one.items():
            yield from ((name, (str(one.get("type")), key)) for _, name in find_settings(value, key))


def _find_inserted(value: Any) -> Iterator[tuple[str, str]]:
    """Each `${env.NAME}` in a value, and its placeholder: a subscription's id is a GUID."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _find_inserted(inner)
    elif isinstance(value, str):
        for found in INSERTED.finditer(value):
            yield found[2], UNSET_PLACEHOLDER if found[1] else ANY_TEXT


def _has_literal_address(connection: Mapping[str, Any]) -> bool:
    """Whether it may lead to a real service, whatever the settings are."""
    kind = str(connection.get("type"))
    keys = [ADDRESSES[kind]] if kind in ADDRESSES else [key for key in connection if key != "type"]
    return any(isinstance(connection.get(key), str) for key in keys)
