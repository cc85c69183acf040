"""The parts of a running sandbox that its page shows and changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.azure.resource_manager import ResourceManager
from sandbox.event_grid.topic import EventGrid
from sandbox.host.functions_host import RUNNING, FunctionsHost
from sandbox.host.host_control import HostControl
from sandbox.inboxes.inbox import Inbox


@dataclass(frozen=True, slots=True)
class SandboxParts:
    """`read_ready` gives what the ready file has, `read_environment` the app's environment now."""

    host: FunctionsHost
    control: HostControl
    event_grid: EventGrid
    inbox: Inbox
    arm: ResourceManager
    read_ready: Callable[[], Mapping[str, Any]]
    read_environment: Callable[[], Mapping[str, str]]

    @property
    def is_up(self) -> bool:
        """Whether the sandbox has started, and so has rules."""
        return "rules" in self.read_ready()

    @property
    def is_running(self) -> bool:
        """Whether the app answers."""
        return self.host.state == RUNNING

    @property
    def rules(self) -> Path:
        """The rule file or folder."""
        return Path(self.read_ready()["rules"])

    @property
    def api(self) -> str:
        """The path of the app's HTTP functions, such as `/api`."""
        return f"/{self.host.hub.settings.route_prefix.strip('/')}".rstrip("/")
