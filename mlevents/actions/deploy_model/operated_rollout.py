"""A rollout that operators may cancel, abort or promote while it moves the traffic forward.

Restoring the traffic is never interrupted.
"""

from collections.abc import Callable
from datetime import timedelta

from durabletask.task import OrchestrationContext, when_any

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.gates.approve.terms import DECISION_VERBS
from mlevents.orchestration.answer import Answer
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.interruption import Interruptible
from mlevents.orchestration.intervention import PROMOTE, Intervention
from mlevents.orchestration.messages import Call
from mlevents.orchestration.step_errors import LeaseLostError


class OperatedRollout(RolloutRun):
    """A rollout under way, with what operators ask of it.

    `confirm_lease` renews its lease; it raises LeaseLostError when another orchestration has it.
    """

    def __init__(self, context: OrchestrationContext, call: Call) -> None:
        super().__init__(context, call)
        self.interruption = Interruptible(context, self.receive)
        self.unless_held = call.unless_held
        self.confirm_lease: Callable[[], Durable[None]] | None = None
        self._promotions: dict[int | None, Intervention] = {}
        self._decisions: list[Intervention] = []

    def receive(self, intervention: Intervention) -> Durable[Exception | None]:
        """Note the promotion of a phase; gives the error of what ends the rollout."""
        yield from ()
        if intervention.verb == PROMOTE:
            self._promotions.setdefault(intervention.phase, intervention)
        if intervention.verb in DECISION_VERBS:
            self._decisions.append(intervention)
        return intervention.to_error()

    def watch(self, phase: int | None) -> None:
        """The phase of this number holds from now on, and may be promoted; None for none."""
        self.watched_phase = phase
        self.publish(self.phases[-1].detail and f"{self.phases[-1].phase}: {self.phases[-1].detail}")

    def perform(
        self, verb: RolloutVerb, progress: Progress | None = None, limit: float | None = None
    ) -> Durable[Answer]:
        """Perform one verb, unless the rollout is cancelled or aborted before it, or while it waits.

        An activity may read a state of the lease that is out of date, so the lease itself confirms a loss.
        """
        yield from self.interruption.check()
        try:
            return (yield from self.interruption.run(super().perform(verb, progress, limit)))
        except LeaseLostError:
            if self.confirm_lease is None:
                raise
        yield from self.confirm_lease()
        claim, self.claim = self.claim, None
        try:
            return (yield from self.interruption.run(super().perform(verb, progress, limit)))
        finally:
            self.claim = claim

    def hold_phase(self, seconds: float) -> Durable[Intervention | None]:
        """Stay in the phase for this long; gives its promotion at once if an operator asks for it."""
        return (yield from self._hold(seconds, lambda: self._promotions.get(self.watched_phase)))

    def wait_for_decision(self, seconds: float, key: str) -> Durable[Intervention | None]:
        """Wait for this long; gives the first decision about the approval of this key at once."""

        def find() -> Intervention | None:
            return next((one for one in self._decisions if one.id.endswith(key)), None)

        return (yield from self._hold(seconds, find))

    def _hold(self, seconds: float, find: Callable[[], Intervention | None]) -> Durable[Intervention | None]:
        yield from self.interruption.check()
        if found := find():
            return found
        timer = self.context.create_timer(timedelta(seconds=seconds))
        while not timer.is_complete:
            yield when_any([timer, self.interruption.queue.event])
            yield from self.interruption.check()
            if found := find():
                return found
        return None
