"""What has come of a response so far, published in the custom status of its orchestration."""

from collections.abc import Mapping
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents import telemetry
from mlevents.orchestration.response import Step
from mlevents.orchestration.size_limits import cut_name
from mlevents.responses.custom_status import LONGEST_STEP, shown
from mlevents.responses.deferral import Deferred

Line = dict[str, str]
"""One step in the record: `id`, `uses`, `status`, `detail`."""
ON_FAILURE = "on_failure."
"""How the id of a step of `on_failure` begins in the record."""


class Record:
    """The outcome of a response, while it is being made.

    `notified` says whether the steps of `on_failure` have begun; they run at most once.
    """

    def __init__(self, context: OrchestrationContext, document: dict[str, Any]) -> None:
        self.context = context
        self.response = document
        self.status: str = document["status"]
        self.because: str | None = document["because"]
        self.steps = first_lines(document)
        self.earlier = {line["id"] for line in self.steps[len(document["steps"]) :]}
        self.results: dict[str, Any] = {}
        self.reports: dict[str, Any] = {}
        self.notified = False
        self.deferred: list[tuple[Step, Line, Deferred]] = []
        self.show()

    def add(self, line: Line) -> None:
        """A step of `on_failure` more; it takes the place of its line from an earlier attempt."""
        name = cut_name(line["id"], LONGEST_STEP)
        if name in self.earlier:
            self.earlier.remove(name)
            self.steps = [one for one in self.steps if one["id"] != name]
        self.steps.append(line)

    def show(self) -> None:
        """Publish the current state."""
        self.context.set_custom_status(self.outcome())

    def note(self, step: Line, status: str, detail: str = "") -> None:
        """One step has a new status."""
        step.update(status=status, detail=detail)
        self.show()
        if status not in ("running", "waiting") and not self.context.is_replaying:
            telemetry.step_ended(self.response, step)

    def defer(self, step: Step, line: Line, deferred: Deferred) -> None:
        """One step waits long: the later ones go on meanwhile."""
        self.deferred.append((step, line, deferred))
        self.note(line, "running", "deferred: it is retried later, and the next steps go on")

    def end(self, status: str) -> None:
        """Nothing more will be performed."""
        self.status = status
        for step in self.steps:
            if step["status"] == "waiting":
                step["status"] = "skipped"

    def break_off(self, because: str) -> None:
        """An error of ours ended the response: the step that was running has failed."""
        self.because = because
        for step in self.steps:
            if step["status"] == "running":
                self.note(step, "failed", because)

    def outcome(self) -> dict[str, Any]:
        """The outcome as people see it."""
        return shown(self.response, self.status, self.because, self.steps)

    def whole(self) -> dict[str, Any]:
        """The outcome with what steps report besides, which is too much for a custom status."""
        return {**self.outcome(), "reports": self.reports} if self.reports else self.outcome()


def entry(step: Step, prefix: str = "") -> Line:
    """A step's line in the record."""
    return {"id": prefix + step["id"], "uses": step["uses"], "status": "waiting", "detail": ""}


def first_lines(document: Mapping[str, Any]) -> list[Line]:
    """The lines with which the record of a response begins: an earlier attempt's, where there was one.

    The lines of its `on_failure` steps come last. What was running then is waiting now.
    """
    earlier = {line["id"]: line for line in document.get("earlier", ())}
    lines = [entry(step) for step in document.get("steps", ())]
    for line in lines:
        known = earlier.get(cut_name(line["id"], LONGEST_STEP), line)
        if known["status"] != "running":
            line.update(status=known["status"], detail=known["detail"])
    return lines + [dict(line) for name, line in earlier.items() if name.startswith(ON_FAILURE)]
