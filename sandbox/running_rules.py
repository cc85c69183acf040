"""The rules that the sandbox runs with: what follows from them for the app, Event Grid and the rights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.azure.resource_manager import ResourceManager
from sandbox.azure.rights.assignments import AppRights, Rights
from sandbox.azure.rule_resources import RuleResources
from sandbox.azure.stream_targets import StreamTargets
from sandbox.azure.workspace import WORKSPACE, WORKSPACE_ID
from sandbox.event_grid.compiled_filters import Filter, compile_rule_filters
from sandbox.event_grid.topic import EventGrid
from sandbox.host.app_settings import AppSettings
from sandbox.host.functions_host import FunctionsHost
from sandbox.host.host_control import HostControl
from sandbox.options import Options, RealReceiverError
from sandbox.ready_file import write_ready
from sandbox.worker.function import WorkerError


@dataclass(frozen=True, slots=True)
class RunningRules:
    """Applies the rules when the sandbox starts, and again when they change; `ready` is kept up to date."""

    options: Options
    settings: AppSettings
    ready: dict[str, Any]
    host: FunctionsHost
    control: HostControl
    event_grid: EventGrid
    rights: Rights
    arm: ResourceManager
    streams: StreamTargets

    def prepare(self) -> None:
        """Give the app its settings and rights; raises RealReceiverError."""
        if fault := self._find_fault():
            raise RealReceiverError(fault)
        self._provide_resources()
        self.host.environment = self.settings.environment
        self._take_rights()

    async def start(self) -> None:
        """Start the app and subscribe it to the events that the rules ask for."""
        await self.host.start()
        await self.event_grid.subscribe(self.host.url, self.options.functions, self._compile_filters())

    def publish(self) -> Callable[[], None]:
        """Write the ready file; returns a function that removes it."""
        if self.options.ready_file is None:
            return lambda: None
        return write_ready(self.options.ready_file, self.ready)

    async def apply(self) -> str:
        """Start the app again with the rules as they are now; returns what has happened."""
        if fault := self._find_fault():
            return fault
        self._provide_resources()
        try:
            running = await self.control.restart()
        except WorkerError as error:
            return f"the app cannot be started: {error}"
        self._take_rights()
        self.event_grid.replace_filters(self._compile_filters())
        self.publish()
        return "the app has restarted with it" if running else "the app is stopped, and will start with it"

    def read_environment(self) -> dict[str, str]:
        """The environment of the app with its files as they are now."""
        return self.settings.environment(self.host.worker.folder)

    def _provide_resources(self) -> None:
        """Create the workspaces, factories and registries that the rules name; those that are there stay."""
        resources = RuleResources.read(self.settings.find_rules(self.options.app), self.read_environment())
        for id in (*resources.workspaces.values(), *resources.targets["ml_workspace"]):
            self.arm.add_workspace(id)
        for id in resources.targets["ml_registry"]:
            self.arm.add_registry(id)
        for id, pipelines in resources.factories.items():
            self.arm.add_factory(id, pipelines)
        self.streams.add(resources.streams)
        listed = dict(resources.workspaces) or {WORKSPACE: WORKSPACE_ID}
        usual = [id for id in listed.values() if id.lower() == WORKSPACE_ID.lower()]
        self.event_grid.topic = (usual or list(listed.values()))[0]
        self.ready.update({"workspace": self.event_grid.topic, "workspaces": listed})
        self.ready["streams"] = sorted({one.id for one in resources.streams})
        self.ready.update(self.settings.describe(self.options.app))

    def _take_rights(self) -> None:
        follow = not self.options.reload
        self.rights.app_rights = AppRights(lambda: self.host.worker.environment or {}, follow)

    def _compile_filters(self) -> dict[str, Filter]:
        rules, environment = self.options.rules, self.host.worker.environment or {}
        return compile_rule_filters(rules, environment) if rules else {}

    def _find_fault(self) -> str | None:
        """Why the receivers that `real` names cannot be used."""
        app = self.options.app
        return self.settings.rule_settings(app).find_fault(self.settings.read_present(app), self.options.real)
