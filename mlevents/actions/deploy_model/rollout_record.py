"""The record that is kept with an endpoint's lease, so that another orchestration can restore the traffic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.actions.deploy_model.progress import Progress
from mlevents.orchestration.answer import Answer
from mlevents.orchestration.json_message import JsonMessage, read_each, read_optional
from mlevents.orchestration.messages import Call
from mlevents.orchestration.step_status import PhaseRecord


@dataclass(frozen=True, slots=True)
class RolloutRecord(JsonMessage):
    """The call and the progress of the rollout that moved the traffic.

    `answer` and `phases` are those of a rollout that has completed, in case its own answer is lost: then
    nothing is to be put back.
    """

    call: Call
    progress: Progress
    phases: tuple[PhaseRecord, ...] = ()
    answer: Answer | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "call": Call.from_json,
        "progress": Progress.from_json,
        "phases": read_each(PhaseRecord.from_json),
        "answer": read_optional(Answer.from_json),
    }

    @classmethod
    def of(cls, run: RolloutRun, answer: Answer | None = None) -> Self:
        """The record of a rollout, with only the state that its verbs need to restore the traffic."""
        response = replace(run.call.response, files={}, connections={}, gates={})
        call = replace(run.call, response=response, failure=None, notices=run.notices)
        return cls(call, run.progress, tuple(run.phases) if answer else (), answer)


def record_of(run: RolloutRun) -> RolloutRecord | None:
    """What another orchestration needs to restore the traffic; None before the traffic is known.

    Kept only once, before the traffic moves, it says that the first move may be under way.
    """
    if run.progress.before is None:
        return None
    record, progress = RolloutRecord.of(run), run.progress
    if progress.ahead and progress.phase is None:
        return replace(record, progress=replace(progress, phase=progress.first_shift))
    return record
