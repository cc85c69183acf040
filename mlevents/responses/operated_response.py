"""A response that runs, and what operators ask of it: a verb ends the response, or reaches its step."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from durabletask.task import OrchestrationContext

from mlevents.gates.approve.terms import DECISION_VERBS
from mlevents.gates.visit import GateMessage
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import PASS_ON_INTERVENTION
from mlevents.orchestration.interruption import Interruptible
from mlevents.orchestration.intervention import ABORT, CANCEL, PROMOTE, RELEASED, Intervention
from mlevents.orchestration.messages import Response
from mlevents.orchestration.serialization import to_text
from mlevents.responses.response_id import part_id
from mlevents.responses.response_record import ResponseRecord

MOST_TRIES, PAUSE = 24, 5.0
"""How often, and after how many seconds, a step's orchestration is looked for that was just requested."""
OPERATORS_VERBS = (CANCEL, ABORT, PROMOTE, RELEASED)
"""What the response itself understands; any other verb is a message to a gate."""
STOPPED_WORDS = "the response is stopped"
HEARD_WORDS = "passed on to the gate '{}'"
LATE_WORDS = "came too late"
PASSED_WORDS = "passed on to step '{}'"
RELEASED_WORDS = "the response acts"
UNKNOWN_WORDS = "no rollout of this response is running"


class OperatedResponse(ResponseRecord):
    """The record of a response whose steps operators may interrupt, until its `on_failure` begins.

    `released` says whether it is the next of its rule to act after a hold. `began` is the response before a
    gate changed it. `held_step` is the step whose first start ended because the rule was held.
    """

    def __init__(self, context: OrchestrationContext, response: Response) -> None:
        super().__init__(context, response)
        self.interruption = Interruptible(context, self.receive)
        self.released = False
        self.began = response
        self.held_step: str | None = None
        self._messages: list[Intervention] = []

    def take_message(self, verbs: Sequence[str]) -> Intervention | None:
        """The first message with one of these verbs that no gate has taken yet."""
        found = next((one for one in self._messages if one.verb in verbs), None)
        if found:
            self._messages.remove(found)
        return found

    def hear_message(self, message: Intervention, gate: str) -> GateMessage:
        """The message for a gate that waits; the log says that a person's decision has reached it."""
        if message.verb in DECISION_VERBS:
            self.log_intervention(replace(message, effect=HEARD_WORDS.format(gate)))
        return GateMessage(message.verb, message.by, message.reason, message.id)

    def receive(self, intervention: Intervention) -> Durable[Exception | None]:
        """Log an intervention, and pass it on to the step that runs; gives the error of one that ends all."""
        if intervention.verb == CANCEL and any(one.verb == CANCEL for one in self.log):
            return None
        if intervention.verb not in OPERATORS_VERBS:
            if intervention.verb in DECISION_VERBS:
                self.log_intervention(intervention)
                if step := next(self.find_orchestrated(), None):
                    yield from self.pass_on(step, intervention)
                    self.log_intervention(replace(intervention, effect=PASSED_WORDS.format(step)))
                    return None
            self._messages.append(intervention)
            return None
        if intervention.verb == RELEASED:
            self.released = True
            self.log_intervention(replace(intervention, effect=RELEASED_WORDS))
            return None
        self.log_intervention(intervention)
        step = next(self.find_orchestrated(), None)
        reached = step is not None and (yield from self.pass_on(step, intervention))
        effect = PASSED_WORDS.format(step) if reached else UNKNOWN_WORDS
        if intervention.verb == CANCEL and not reached:
            effect = STOPPED_WORDS
        self.log_intervention(replace(intervention, effect=effect))
        return intervention.to_error() if intervention.verb == CANCEL else None

    def find_orchestrated(self) -> Iterator[str]:
        """The step with an orchestrator of its own that runs now, if one does."""
        orchestrated = {step.id for step in self.response.steps if step.orchestration}
        return (one.id for one in self.steps if one.status == "running" and one.id in orchestrated)

    def pass_on(self, step: str, intervention: Intervention) -> Durable[bool]:
        """Raise an intervention to the orchestrations of a step; says whether one was running."""
        first = part_id(self.response.id, step, self.response.reruns)
        held = int(step == self.held_step)
        for _ in range(MOST_TRIES):
            asked = to_text([first, intervention.to_json()])
            text = yield self.context.call_activity(PASS_ON_INTERVENTION, input=asked)
            known, running = json.loads(text)
            if running or known > held:
                return bool(running)
            yield self.context.create_timer(timedelta(seconds=PAUSE))
        return False

    def begin_notification(self) -> None:
        """The steps of `on_failure` begin, which nothing interrupts."""
        super().begin_notification()
        self.interruption.close()

    def close_log(self) -> None:
        """Say of whatever came when nothing could be interrupted any more that it was too late."""
        for intervention in self.interruption.queue.take_new():
            self.log_intervention(intervention)
        for intervention in list(self.log):
            if effect := self._find_late_effect(intervention):
                self.log_intervention(replace(intervention, effect=effect))

    def _find_late_effect(self, intervention: Intervention) -> str | None:
        """What the log says of a verb that did not have its effect any more; None of one that had."""
        passed = {PASSED_WORDS.format(one.id): one for one in self.steps if one.status == "done"}
        done = passed.get(intervention.effect)
        if intervention.verb == CANCEL and self.status == "stopped" and done:
            return f"{LATE_WORDS} for step '{done.id}', which is done; {STOPPED_WORDS}"
        stopped = intervention.verb == CANCEL and self.status != "stopped"
        aborted = intervention.verb == ABORT and done
        if not intervention.effect or stopped or aborted:
            return f"{LATE_WORDS}: the response ended as {self.status}"
        return None
