"""Records the progress of a response in the custom status of its orchestration."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents import telemetry
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.messages import Response
from mlevents.orchestration.size_limits import RESULT_UNITS, cut_document, cut_name
from mlevents.orchestration.step_plan import StepPlan
from mlevents.orchestration.step_record import ON_FAILURE, StepRecord
from mlevents.responses.custom_status import LONGEST_STEP, cut_outcome
from mlevents.responses.deferral import DeferredStep
from mlevents.responses.gate_record import GateRecord
from mlevents.responses.response_outcome import EventOutline, ResponseOutcome


class ResponseRecord:
    """The outcome of a response, while it is being made.

    `notified` says whether the steps of `on_failure` have begun; they run at most once. `hold` says why the
    response waits, while an operator holds it; `waiting` while a gate does. `gates` is what the gates said.
    """

    def __init__(self, context: OrchestrationContext, response: Response) -> None:
        self.context = context
        self.response = response
        self.status: str = response.status
        self.because: str | None = response.because
        self.steps = first_records(response)
        self.earlier = {step.id for step in self.steps[len(response.steps) :]}
        self.results: dict[str, Any] = {}
        self.reports: dict[str, Json] = {}
        self.notified = False
        self.hold: str | None = None
        self.waiting: str | None = None
        self.gates: dict[str, GateRecord] = {}
        self.deferred: list[DeferredStep] = []
        self.log = list(response.log)
        self.publish()

    def add_step(self, step: StepPlan) -> None:
        """Add a step of `on_failure`; it replaces its record from an earlier attempt."""
        name = cut_name(step.id, LONGEST_STEP)
        if name in self.earlier:
            self.earlier.remove(name)
            self.steps = [one for one in self.steps if one.id != name]
        self.steps.append(StepRecord.of(step))

    def publish(self) -> None:
        """Set the custom status."""
        self.context.set_custom_status(self.outcome().to_json())

    def update_step(self, step: str, status: str, detail: str = "") -> None:
        """Give the step of this id a new status; the latest one, where several have it."""
        at = max(at for at, one in enumerate(self.steps) if one.id == step)
        self.steps[at] = replace(self.steps[at], status=status, detail=detail)
        self.publish()
        if status not in ("running", "waiting") and not self.context.is_replaying:
            trace = telemetry.StepTrace(step, self.steps[at].uses)
            telemetry.report_step_end(self.response.trace, trace, status, detail)

    def add_result(self, step: str, result: Json) -> None:
        """Keep what later steps read of this step."""
        self.results[step] = cut_document(result, RESULT_UNITS)

    def defer(self, deferred: DeferredStep) -> None:
        """Record that a step waits long, while the later steps go on."""
        self.deferred.append(deferred)
        detail = "deferred: it is retried later, and the next steps go on"
        self.update_step(deferred.step.id, "running", detail)

    def record_gate(self, said: GateRecord) -> None:
        """Record what a gate says now."""
        self.gates[said.gate] = said
        self.publish()

    def begin_notification(self) -> None:
        """The steps of `on_failure` begin, so the response waits for nothing else."""
        self.notified = True
        self.hold = self.waiting = None

    def log_intervention(self, intervention: Intervention) -> None:
        """Add what an operator asked for to the log, or change its entry there."""
        self.log = [one for one in self.log if one.id != intervention.id] + [intervention]
        self.publish()

    def end(self, status: str) -> None:
        """Set the last status: nothing more will be performed."""
        self.status = status
        self.hold = self.waiting = None
        self.steps = [one.change_status(waiting="skipped") for one in self.steps]

    def fail_running(self, because: str) -> None:
        """An error of ours ended the response: the step that was running has failed."""
        self.because = because
        for step in list(self.steps):
            if step.status == "running":
                self.update_step(step.id, "failed", because)

    def outcome(self) -> ResponseOutcome:
        """The outcome as people see it."""
        waits = self.hold or self.waiting
        status, because = ("waiting", waits) if waits else (self.status, self.because)
        response = replace(self.response, log=tuple(self.log))
        return outcome_of(response, status, because, self.steps, tuple(self.gates.values()))

    def final_outcome(self) -> ResponseOutcome:
        """The outcome with all that is too much for a custom status."""
        log, gates = tuple(self.log), tuple(self.gates.values())
        return replace(self.outcome(), reports=self.reports, results=self.results, log=log, gates=gates)


def outcome_of(
    response: Response,
    status: str,
    because: str | None,
    steps: Sequence[StepRecord],
    gates: tuple[GateRecord, ...] = (),
) -> ResponseOutcome:
    """The outcome of a response, cut to the size of a custom status."""
    event = EventOutline.of(response.event)
    topic = response.event.topic or ""
    known = ResponseOutcome(response.rule, event, status, because, tuple(steps), topic)
    return cut_outcome(replace(known, log=response.log, reruns=response.reruns, gates=gates))


def first_records(response: Response) -> list[StepRecord]:
    """The records with which a response begins: an earlier attempt's, where there was one.

    Those of its `on_failure` steps come last. What was running then is waiting now.
    """
    earlier = {step.id: step for step in response.earlier}
    steps = [StepRecord.of(step) for step in response.steps]
    known = [earlier.get(cut_name(step.id, LONGEST_STEP), step) for step in steps]
    continued = [
        step if one.status == "running" else replace(step, status=one.status, detail=one.detail)
        for step, one in zip(steps, known, strict=True)
    ]
    return continued + [step for name, step in earlier.items() if name.startswith(ON_FAILURE)]
