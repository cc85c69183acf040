"""A running rollout: its phases, their durations, and what its verbs left.

Seconds are the sum of the requested waits, never read from a clock.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.progress import Phase, Progress
from mlevents.actions.deploy_model.traffic_map import Traffic
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.duration import format_duration
from mlevents.gates.approve.record import UNDECIDED
from mlevents.gates.approve.terms import APPROVE
from mlevents.orchestration.answer import Answer
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.lease_messages import LeaseClaim
from mlevents.orchestration.messages import Call
from mlevents.orchestration.size_limits import CUSTOM_STATUS_UNITS, cut_document
from mlevents.orchestration.step_errors import StepFailedError
from mlevents.orchestration.step_runner import DEFAULT_TIMEOUT, run_step
from mlevents.orchestration.step_status import CheckReading, PhaseRecord, StepStatus

CLEAN_UP = 3600.0
"""Seconds for what is left behind; the endpoint's lease is held meanwhile."""
LAST_LOOK = 60.0
"""Seconds for reading the metrics once more when the step's timeout is over."""
LONGEST_DETAIL = 150
STATUS_PHASES, STATUS_LINES, STATUS_WIDTH, STATUS_VALUES = 16, 20, 150, 12
"""How many phases, lines of the log and values of a check the custom status holds.

Durable Functions limits it to 16 KB.
"""


class RolloutRun:
    """A rollout under way: its call, what its verbs left, what its phases took.

    `spent` is in seconds, over all phases; `report` is what a failure says besides its message.
    `notices` are the calls by which people are notified before the rollout has ended. `watched_phase` is the
    number of the phase that an operator may promote, None where there is none. `approval` is what the API
    reads of the latest approval. `claim` is what each move of the traffic checks: that the lease is held.
    `unless_held` asks the first verb to look whether an operator holds the rule.
    """

    def __init__(self, context: OrchestrationContext, call: Call) -> None:
        self.context = context
        self.call, self.notices = replace(call, notices=(), unless_held=False), call.notices
        self.progress = Progress()
        self.phases: list[PhaseRecord] = []
        self.report: dict[str, Any] = {}
        self.spent = 0.0
        self.watched_phase: int | None = None
        self.approval: Json = {}
        self.claim: LeaseClaim | None = None
        self.unless_held = False

    @property
    def left(self) -> float:
        """Seconds until the step's timeout."""
        timeout = self.call.step.timeout
        return DEFAULT_TIMEOUT if timeout is None else timeout - self.spent

    def longest(self, phase: Phase) -> float:
        """How long to wait in a phase for enough requests.

        Its own timeout, else to the end of the step's, else what the plan says.
        """
        if phase.own_timeout or self.call.step.timeout is None or not phase.for_:
            return phase.timeout
        return max(self.left, phase.for_)

    def publish(self, detail: str, waiting: str | None = None) -> None:
        """Set the custom status; `waiting` names the gate that the rollout waits for."""
        lines = self.report.get("log", [])[-STATUS_LINES:]
        log = tuple(line[:STATUS_WIDTH] for line in lines)
        phases, number = tuple(self.phases[-STATUS_PHASES:]), self.watched_phase
        gate = APPROVE if self.approval.get("status") == UNDECIDED else None
        status = StepStatus(detail[:300], phases, waiting or gate, log, number, self.approval)
        self.context.set_custom_status(cut_document(status.to_json(), CUSTOM_STATUS_UNITS))

    def report_wait(self, detail: str) -> None:
        """Publish that the rollout waits for its endpoint."""
        self.publish(detail, waiting="endpoint")

    def begin_phase(self, name: str) -> None:
        """The next seconds and details are those of this phase."""
        serving = self.phases[-1].traffic if self.phases else {}
        self.phases.append(PhaseRecord(name, 0.0, "", traffic=serving))

    def perform_phase(self, name: str, *verbs: RolloutVerb, limit: float | None = None) -> Durable[Answer]:
        """Perform verbs that belong together; gives the answer of the last."""
        self.begin_phase(name)
        for verb in verbs:
            self.publish(f"{name}: {verb.words}")
            chosen = self.progress.timeouts.get(verb.timeout_name) if verb.timeout_name else limit
            answer = yield from self.perform(verb, limit=chosen)
            self.progress = self.progress.join(answer.result)
            self.record_traffic(self.progress.serving)
            self.update_phase(answer.detail, 0.0)
        return answer

    def update_phase(self, detail: str, waited: float) -> None:
        """The phase under way has a new detail, after this many seconds more."""
        self.add_seconds(waited)
        self.phases[-1] = replace(self.phases[-1], detail=detail[:LONGEST_DETAIL])
        self.publish(f"{self.phases[-1].phase}: {detail}")

    def record_checks(self, checks: tuple[CheckReading, ...]) -> None:
        """The phase under way has these latest readings."""
        self.phases[-1] = replace(self.phases[-1], checks=extend_values(self.phases[-1].checks, checks))

    def record_traffic(self, traffic: Traffic) -> None:
        """The traffic in the phase under way."""
        self.phases[-1] = replace(self.phases[-1], traffic=traffic)

    def perform(
        self, verb: RolloutVerb, progress: Progress | None = None, limit: float | None = None
    ) -> Durable[Answer]:
        """Perform one verb of the action until it is done, within its own time and the step's."""
        claim = self.claim if verb is RolloutVerb.SHIFT_TRAFFIC else None
        asks = self.unless_held and verb is RolloutVerb.LOCATE
        found = (progress or self.progress).to_json()
        call = replace(self.call, verb=verb, progress=found, lease=claim, unless_held=asks)
        left = self.left
        if left <= 0 and verb is RolloutVerb.OBSERVE:
            left = LAST_LOOK
        if left <= 0:
            timeout = self.call.step.timeout or DEFAULT_TIMEOUT
            raise StepFailedError(f"gave up after {format_duration(timeout)}, the step's `timeout`")
        try:
            answer = yield from run_step(self.context, call, min(limit or DEFAULT_TIMEOUT, left))
        except StepFailedError as error:
            self.add_seconds(error.waited)
            raise
        self.add_seconds(answer.waited)
        return answer

    def add_seconds(self, seconds: float) -> None:
        """The phase under way, if there is one, took this much longer."""
        self.spent += seconds
        if self.phases:
            self.phases[-1] = replace(self.phases[-1], seconds=self.phases[-1].seconds + seconds)

    def attempt_phase(self, name: str, verb: RolloutVerb) -> Durable[str]:
        """Perform a verb whose failure changes nothing any more; gives a sentence for either case."""
        self.begin_phase(name)
        call = replace(self.call, verb=verb, progress=self.progress.to_json())
        try:
            answer = yield from run_step(self.context, call, CLEAN_UP)
        except StepFailedError as error:
            self.update_phase(f"{name}: {error}", 0.0)
            return f"{name}: {error}"
        if verb is RolloutVerb.DISCARD:
            self.report["log"] = list(Progress().join(answer.result).log or ())
        self.update_phase(answer.detail, answer.waited)
        return answer.detail

    def fail(self, error: StepFailedError) -> Answer:
        """The answer of a rollout that has failed, or had to stop."""
        phases = [phase.to_json() for phase in self.phases]
        return error.to_answer({**self.progress.subject, **self.report, "phases": phases})


def extend_values(before: Sequence[CheckReading], now: Sequence[CheckReading]) -> tuple[CheckReading, ...]:
    """The readings of now, each with the values of the same check before it."""
    earlier = [one.values for one in before] if len(before) == len(now) else [()] * len(now)
    return tuple(
        replace(one, values=(*values, one.value)[-STATUS_VALUES:] if one.value is not None else values)
        for one, values in zip(now, earlier, strict=True)
    )
