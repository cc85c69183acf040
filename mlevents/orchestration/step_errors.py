"""The errors that end a step without success."""

from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.json_message import Json


class StepFailedError(Exception):
    """A step will not succeed; the message is for people, `report` is what is known besides.

    `waited` is how many seconds the step waited before that was known.
    """

    kind = AnswerKind.FAILED

    def __init__(self, text: str, report: Json | None = None, waited: float = 0.0) -> None:
        self.report = report or {}
        self.waited = waited
        super().__init__(text)

    def to_answer(self, report: Json | None = None) -> Answer:
        """The answer of an orchestrator that ends with this error."""
        return Answer(self.kind, str(self), report=self.report if report is None else report)

    def with_text(self, text: str) -> "StepFailedError":
        """The same kind of error with another message."""
        return type(self)(text, self.report, self.waited)


class StepStoppedError(StepFailedError):
    """A step must not go on, though nothing failed."""

    kind = AnswerKind.STOPPED


class StepRefusedError(StepStoppedError):
    """The rule file does not allow what the event asks for; nothing was changed."""

    kind = AnswerKind.REFUSED


class LeaseLostError(StepStoppedError):
    """Another orchestration has taken the endpoint over: this one must not write to it any more."""


class GateClosedError(StepStoppedError):
    """A gate objects, or an operator cancels the response: `gate` is `cancel` then.

    `notify` says that the steps of `on_failure` are performed.
    """

    def __init__(
        self, gate: str, objection: str, report: Json | None = None, *, notify: bool = False
    ) -> None:
        super().__init__(objection, report)
        self.gate = gate
        self.notify = notify

    def to_answer(self, report: Json | None = None) -> Answer:
        """The answer of an orchestrator that a gate stopped."""
        return Answer(self.kind, str(self), gate=self.gate, report=self.report if report is None else report)

    def with_text(self, text: str) -> "GateClosedError":
        """The same gate's objection in other words."""
        return GateClosedError(self.gate, text, self.report, notify=self.notify)


ERRORS: dict[AnswerKind, type[StepFailedError]] = {
    **{error.kind: error for error in (StepFailedError, StepStoppedError, StepRefusedError)},
    AnswerKind.LOST: LeaseLostError,
}


def raise_unless_successful(answer: Answer) -> None:
    """Raise what an answer says instead of a result; nothing for one after which the step goes on."""
    if answer.gate is not None:
        raise GateClosedError(answer.gate, answer.detail, answer.report)
    if answer.kind in ERRORS:
        raise ERRORS[answer.kind](answer.detail, answer.report)


def describe_fault(error: Exception) -> str:
    """What people read of an error of ours."""
    return f"a fault in mlevents: {type(error).__name__}: {error}"[:1000]
