"""A response at one gate: what `mlevents.gates.visit` promises, by Durable Functions."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from durabletask.task import TaskFailedError, when_any

from mlevents.canonical import canonical_resource_id
from mlevents.events import Event
from mlevents.gates.gate import AnyGate
from mlevents.gates.visit import GateMessage
from mlevents.gates.written_rule import WrittenRule
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import PASS_ON_INTERVENTION, READ_FOR_GATE
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_errors import GateClosedError, StepFailedError
from mlevents.orchestration.step_plan import RetryPlan
from mlevents.orchestration.step_runner import RetrySchedule
from mlevents.responses.gate_reading import GateQuery
from mlevents.responses.gate_record import FAILED, PASSED, STOPPED, WAITING, GateRecord
from mlevents.responses.gate_state import gate_state_id
from mlevents.responses.name_excerpt import cut_names
from mlevents.responses.operated_response import OperatedResponse
from mlevents.responses.plan_digest import digest_rule
from mlevents.responses.response_changes import ResponseChanges

READ_RETRY, READ_LIMIT = RetryPlan(attempts=8, first=5.0, max=300.0), 3600.0
STATE_RETRY = RetryPlan(attempts=3, first=5.0, max=60.0)

log = logging.getLogger("mlevents")


class ResponseVisit(ResponseChanges):
    """One response at the gate of this name.

    `waited` says whether time has passed there, `has_objected` whether the gate has stopped the response.
    """

    def __init__(self, operated: OperatedResponse, name: str, gate: AnyGate) -> None:
        self._operated, self._context = operated, operated.context
        self._name, self._gate = name, gate
        self.waited = self.has_objected = False
        self.detail = ""
        self._about: Json = {}

    def admit(self) -> Durable[None]:
        """Let the response in; raises GateClosedError, or StepFailedError when the gate cannot say."""
        try:
            objection = yield from self._gate.admit(self)
        except GateClosedError as error:
            self._record(STOPPED, str(error))
            raise
        except StepFailedError as error:
            self._record(FAILED, str(error))
            raise error.with_text(f"{self._name}: {error}") from error
        if objection:
            self.has_objected = True
            self._record(STOPPED, objection.text)
            raise GateClosedError(self._name, objection.text, notify=objection.notify)
        self._record(PASSED, self.detail)

    def _record(self, status: str, detail: str, until: datetime | None = None) -> None:
        ends = until.isoformat() if until else None
        self._operated.record_gate(GateRecord(self._name, status, detail, ends, self._about))

    def withdraw(self) -> Durable[None]:
        """The response does not act, though this gate has let it: what the gate has stored is taken back.

        A state that gives no answer does not hide why the response ends; it is over at its expiry.
        """
        try:
            yield from self._gate.withdraw(self)
        except StepFailedError as error:
            if not self._context.is_replaying:
                log.warning("response %s: gate %s: %s", self.response, self._name, error)

    @property
    def response(self) -> str:
        return self._operated.response.id

    @property
    def attempt(self) -> str:
        return f"{self.response}~{self._operated.response.reruns}"

    @property
    def rule(self) -> str:
        return self._operated.response.rule or ""

    @property
    def steps(self) -> Sequence[Json]:
        steps = self._operated.response.steps
        return tuple({"id": one.id, "uses": one.uses, "with": one.with_} for one in steps)

    @property
    def plan(self) -> str:
        return digest_rule(self._operated.began)

    @property
    def workspace(self) -> str:
        return canonical_resource_id(self.event.topic)

    @property
    def event(self) -> Event:
        return self._operated.response.event

    @property
    def written_rule(self) -> WrittenRule | None:
        return self._operated.response.written_rule

    @property
    def now(self) -> datetime:
        return self._context.current_utc_datetime.replace(tzinfo=UTC)

    def cut_names(self, units: int) -> Json:
        return cut_names(self.event.names, units)

    def change_state(self, key: str, operation: str, document: Json) -> Durable[Json]:
        entity = gate_state_id(self._name, self.rule, key)

        def ask() -> Durable[Answer]:
            try:
                text = yield self._context.call_entity(entity, operation, to_text(document))
            except TaskFailedError as error:
                return Answer(AnswerKind.TRANSIENT, f"the gate's state gave no answer: {error}")
            return Answer(AnswerKind.DONE, "", result=json.loads(text))

        return (yield from self._try(ask, RetrySchedule(STATE_RETRY, READ_LIMIT)))

    def read(self, document: Json) -> Durable[Json]:
        response = replace(
            self._operated.response,
            steps=(),
            on_failure=(),
            explanation=(),
            past=(),
            log=(),
            written_rule=None,
        )
        query = to_text(GateQuery(response, self._name, document).to_json())

        def ask() -> Durable[Answer]:
            try:
                text = yield self._context.call_activity(READ_FOR_GATE, input=query)
            except TaskFailedError as error:
                return Answer(AnswerKind.TRANSIENT, f"the activity gave no answer: {error.details.message}")
            return Answer.from_json(json.loads(text))

        return (yield from self._try(ask, RetrySchedule(READ_RETRY, READ_LIMIT)))

    def wait(
        self, until: datetime, reason: str, about: Json | None = None, again: datetime | None = None
    ) -> Durable[GateMessage | None]:
        operated = self._operated
        yield from operated.interruption.check()
        operated.waiting, self._about = f"{self._name}: {reason}", about or self._about
        self._record(WAITING, reason, until)
        timer = self._context.create_timer(max(min(until, again or until) - self.now, timedelta()))
        message = operated.take_message(self._gate.listens)
        while message is None and not timer.is_complete:
            yield when_any([timer, operated.interruption.queue.event])
            yield from operated.interruption.check()
            message = operated.take_message(self._gate.listens)
        self.waited, operated.waiting = True, None
        return operated.hear_message(message, self._name) if message else None

    def send(self, response: str, verb: str) -> Durable[None]:
        said = Intervention(f"{verb}-{self.attempt}", verb, self.response, "", self.now.isoformat())
        asked = to_text([response, said.to_json()])
        try:
            yield self._context.call_activity(PASS_ON_INTERVENTION, input=asked)
        except TaskFailedError:
            return  # a message only shortens a wait, which ends by its timer

    def _try(self, ask: Callable[[], Durable[Answer]], schedule: RetrySchedule) -> Durable[Json]:
        """The result of the first answer that is done; an operator may interrupt it."""

        def attempts() -> Durable[Json]:
            while not (answer := (yield from ask())).is_success:
                if delay := schedule.count(answer):
                    yield self._context.create_timer(timedelta(seconds=delay))
            return answer.result

        return (yield from self._operated.interruption.run(attempts()))

    def record(self, text: str) -> None:
        self.detail = text
