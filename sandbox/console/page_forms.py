"""What the forms of the page do. Each returns the part of the page in which the outcome is seen."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from mlevents.rule_tests.event_arguments import ArgumentError
from mlevents.rule_tests.event_builder import BuiltEvent
from sandbox.console.fault_switches import turn_switch
from sandbox.console.load_sliders import set_load
from sandbox.console.sandbox_parts import SandboxParts
from sandbox.console.trial_events import build_form_event, build_test_event, read_tests
from sandbox.event_grid.event_schemas import RefusedError
from sandbox.worker.function import WorkerError

DELIVERY_SECONDS, POLL_SECONDS = 4.0, 0.05
"""How long a form waits for Event Grid's delivery."""
REFUSALS = (ArgumentError, LookupError, RefusedError, ValueError, WorkerError)
"""What a form raises that cannot be carried out; the message says why."""
type Form = Mapping[str, str]
type Submit = Callable[[Form], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class PageForms:
    """Carries out the forms on a running sandbox; raises one of REFUSALS."""

    sandbox: SandboxParts

    def by_name(self) -> Mapping[str, Submit]:
        """Each form by its address below the page's."""
        return {
            "tests": self.publish_test,
            "events": self.publish_event,
            "faults": self.change_faults,
            "load": self.change_load,
            "host": self.change_host,
            "inbox": self.clear_inbox,
        }

    async def publish_test(self, form: Form) -> str:
        """Publish the event of one of the rule file's tests."""
        sandbox, name = self.sandbox, form.get("test", "")
        tests = await read_tests(sandbox.rules, sandbox.read_environment())
        test = next((one for one in tests if f"{one.path} {one.name}" == name), None)
        if test is None:
            raise LookupError(f"the rules have changed, and have no test '{name.partition(' ')[2]}' here")
        await self._publish(build_test_event(test, sandbox.read_ready(), sandbox.arm.workspaces))
        return "events"

    async def publish_event(self, form: Form) -> str:
        """Publish the event that the form says."""
        sandbox = self.sandbox
        await self._publish(build_form_event(form, sandbox.read_ready(), sandbox.arm.workspaces))
        return "events"

    async def change_faults(self, form: Form) -> str:
        """Turn a switch on or off, or remove one fault."""
        faults = self.sandbox.arm.faults
        if removed := form.get("remove"):
            faults.remove(int(removed))
        else:
            turn_switch(faults, form.get("switch", ""), on=form.get("on") == "true")
        return "faults"

    async def change_load(self, form: Form) -> str:
        """Set the synthetic traffic of an endpoint or a deployment."""
        set_load(self.sandbox.arm.load, form)
        return "load"

    async def change_host(self, form: Form) -> str:
        """Kill the app, or start it again."""
        verbs = {"kill": self.sandbox.control.kill, "start": self.sandbox.control.start}
        verb = form.get("verb", "")
        if verb not in verbs:
            raise LookupError(f"the app cannot '{verb:.50}': kill or start it")
        await verbs[verb]()
        return "app"

    async def clear_inbox(self, _: Form) -> str:
        """Forget every message."""
        self.sandbox.inbox.messages.clear()
        return "inbox"

    async def _publish(self, built: BuiltEvent) -> None:
        """Publish an event, and wait a moment for its delivery."""
        grid = self.sandbox.event_grid
        grid.publish_posted(json.dumps([dict(built.document)]).encode())
        deadline = time.monotonic() + DELIVERY_SECONDS
        while time.monotonic() < deadline:
            published = grid.journal.find_event(built.event.id)
            if published is None or published.is_settled:
                return
            await asyncio.sleep(POLL_SECONDS)
