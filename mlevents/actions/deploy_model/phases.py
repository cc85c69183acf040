"""The phases of a rollout: what each took, and the watching of its metrics.

Seconds are counted in the waits that were asked for, never read off a clock.
"""

from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.analysis import Course as PhaseCourse
from mlevents.actions.deploy_model.analysis import move
from mlevents.duration import format_duration
from mlevents.orchestration.size_limits import CUSTOM_STATUS_UNITS, cut_document
from mlevents.orchestration.step_runner import (
    DEFAULT_TIMEOUT,
    Answer,
    Call,
    Course,
    StepFailedError,
    StepStoppedError,
    carry,
)

CLEAN_UP = 3600.0
"""Seconds for what is left behind; the endpoint's lease is held meanwhile."""
SHORTEST_LOOK, LONGEST_LOOK, LOOKS = 60.0, 300.0, 60
LAST_LOOK = 60.0
"""Seconds for reading the metrics once more when the step's timeout is over."""
LONGEST_WORDS = 150
SHOWN_PHASES, SHOWN_LINES, SHOWN_WIDTH = 16, 20, 150
"""What of it stands in the custom status, which Durable Functions keeps under 16 KB of UTF-16."""
TIMEOUTS = {
    "ensure_endpoint": "endpoint",
    "create_deployment": "deployment",
    "follow_deployment": "deployment",
    "shift_traffic": "traffic",
}
"""Which of the action's `timeouts` a verb has."""
PROGRESS_WORDS = {
    "ensure_endpoint": "the endpoint is looked up, or created",
    "create_deployment": "the deployment is requested",
    "follow_deployment": "waiting until the deployment is ready",
    "smoke_test": "a test request is sent",
    "shift_traffic": "the traffic is changed",
}
"""What people read while a verb has not answered yet; its own name where none is here."""


class Run:
    """A rollout under way: its call, what its verbs left, what its phases took.

    `spent` is in seconds, over all phases; `report` is what a failure tells besides its message.
    `notices` are the calls by which people are notified before the rollout has ended.
    """

    def __init__(self, context: OrchestrationContext, call: Call) -> None:
        self.context = context
        self.call = {name: value for name, value in call.items() if name != "notices"}
        self.notices: list[Call] = call.get("notices") or []
        self.progress: dict[str, Any] = {}
        self.phases: list[dict[str, Any]] = []
        self.report: dict[str, Any] = {}
        self.spent = 0.0

    @property
    def left(self) -> float:
        """Seconds until the step's timeout."""
        whole = self.call["step"]["timeout"]
        return DEFAULT_TIMEOUT if whole is None else float(whole) - self.spent

    def longest(self, phase: Mapping[str, Any]) -> float:
        """How long to wait in a phase for enough requests.

        Its own timeout, else to the end of the step's, else what the plan says.
        """
        if phase.get("own") or self.call["step"]["timeout"] is None or not phase["for"]:
            return float(phase["timeout"] or 0.0)
        return max(self.left, float(phase["for"]))

    def say(self, words: str, waiting: str | None = None) -> None:
        """Show how far it is, in the custom status; `waiting` names the gate that it waits for."""
        log = self.report.get("log", [])[-SHOWN_LINES:]
        shown: dict[str, Any] = {"detail": words[:300], "phases": self.phases[-SHOWN_PHASES:]}
        if waiting:
            shown["waiting"] = waiting
        if log:
            shown["log"] = [line[:SHOWN_WIDTH] for line in log]
        self.context.set_custom_status(cut_document(shown, CUSTOM_STATUS_UNITS))

    def wait(self, words: str) -> None:
        """Show that it waits for its endpoint."""
        self.say(words, waiting="endpoint")

    def phase(self, name: str, *verbs: str, limit: float | None = None) -> Course:
        """Verbs that belong together; what they leave joins the progress."""
        self.phases.append({"phase": name, "seconds": 0.0, "detail": ""})
        answer: Answer = {}
        for verb in verbs:
            self.say(f"{name}: {PROGRESS_WORDS.get(verb, verb.replace('_', ' '))}")
            chosen = limit if verb not in TIMEOUTS else self.progress["timeouts"].get(TIMEOUTS[verb])
            answer = yield from self.verb(verb, limit=chosen)
            self.progress |= answer["result"]
            self.note(answer["detail"], 0.0)
        return answer

    def note(self, words: str, waited: float) -> None:
        """The phase under way went on."""
        self.took(waited)
        self.phases[-1]["detail"] = words[:LONGEST_WORDS]
        self.say(f"{self.phases[-1]['phase']}: {words}")

    def verb(self, name: str, limit: float | None = None, **more: Any) -> Course:
        """One verb of the action, carried to its end within its own time and the step's."""
        call = {**self.call, "verb": name, "progress": {**self.progress, **more}}
        left = self.left
        if left <= 0 and name == "observe":
            left = LAST_LOOK
        if left <= 0:
            raise StepFailedError(
                f"gave up after {format_duration(self.call['step']['timeout'])}, the step's `timeout`"
            )
        try:
            answer = yield from carry(self.context, call, min(limit or DEFAULT_TIMEOUT, left))
        except StepFailedError as error:
            self.took(error.waited)
            raise
        self.took(answer["waited"])
        return answer

    def took(self, seconds: float) -> None:
        """The phase under way, if there is one, took so much longer."""
        self.spent += seconds
        if self.phases:
            self.phases[-1]["seconds"] += seconds

    def tried(self, name: str, verb: str) -> Generator[Any, Any, str]:
        """A verb whose failure changes nothing any more: gives the words for either case."""
        self.phases.append({"phase": name, "seconds": 0.0, "detail": ""})
        call = {**self.call, "verb": verb, "progress": self.progress}
        try:
            answer = yield from carry(self.context, call, CLEAN_UP)
        except StepFailedError as error:
            self.note(f"{name}: {error}", 0.0)
            return f"{name}: {error}"
        if "log" in answer["result"]:
            self.report["log"] = answer["result"]["log"]
        self.note(answer["detail"], answer["waited"])
        return str(answer["detail"])

    def ended(self, error: StepFailedError) -> Answer:
        """The answer of a rollout that came to nothing."""
        known = {name: self.progress.get(name) for name in ("endpoint", "deployment", "model")}
        report = {**known, **self.report, "phases": self.phases}
        answer: dict[str, Any] = {"detail": str(error), "report": report}
        if isinstance(error, StepStoppedError):
            return {**answer, "kind": "stopped", "gate": error.gate}
        return {**answer, "kind": "failed"}


def watch(context: OrchestrationContext, run: Run, phase: Mapping[str, Any]) -> Generator[Any, Any]:
    """Stay in a phase for its time, reading the metrics; return when it may go on, and raise when not."""
    elapsed, breaches = 0.0, 0
    phase = {**phase, "timeout": run.longest(phase)}
    while phase["for"]:
        since = next_look(phase, elapsed) - elapsed
        yield context.create_timer(timedelta(seconds=since))
        run.note(run.phases[-1]["detail"], since)
        elapsed += since
        answer = yield from run.verb("observe", elapsed=elapsed, since=since)
        verdict, excused = answer["result"]["verdict"], bool(answer["result"].get("excused"))
        breaches += verdict == "breached"
        run.note(f"{format_duration(elapsed)} of {format_duration(phase['for'])}, {answer['detail']}", 0.0)
        forgiven = run.progress["failures"]
        course = PhaseCourse(elapsed, phase["for"], phase["timeout"], breaches, forgiven, excused)
        decided = move(verdict, course)
        if decided == "promote":
            return
        if decided == "fail":
            raise StepFailedError(f"at {phase['name']}, after {format_duration(elapsed)}: {answer['detail']}")
        if decided == "stop":
            raise StepStoppedError(
                f"inconclusive at {phase['name']} after {format_duration(elapsed)}: {answer['detail']}"
            )


def next_look(phase: Mapping[str, Any], elapsed: float) -> float:
    """When to look next, in seconds since the phase began; always at its end, and at its timeout."""
    interval = min(max(phase["for"] / LOOKS, SHORTEST_LOOK), LONGEST_LOOK)
    ends = [end for end in (phase["for"], phase["timeout"]) if end > elapsed]
    return float(min([elapsed + interval, *ends]))
