"""Runs orchestrators in Microsoft's own executor, turn by turn, and keeps the history that they leave.

Entities answer in the older protocol (`eventSent`, `eventRaised`), as the Functions extension does.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pkgutil import resolve_name
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from azure.durable_functions.worker import DurableFunctionsWorker
from durabletask.internal import helpers
from google.protobuf import json_format

from mlevents.orchestration.endpoint_lease import endpoint_lease, find_loss
from mlevents.orchestration.function_names import (
    BEGIN_RERUN,
    ENDPOINT_LEASE,
    EVENT_FLOOD,
    FIND_INSTANCES,
    GATE_STATE,
    NEWEST_VERSION,
    PASS_ON_INTERVENTION,
    READ_FOR_GATE,
    READ_HOLDS,
    RELEASE_NEXT,
    RELEASE_RESPONSES,
    REPORT_FLOOD,
    RESPOND_TO_EVENT,
    RESTART_RESPONSE,
)
from mlevents.orchestration.intervention import INTERVENTION_EVENT
from mlevents.orchestration.lease_messages import LeaseClaim
from mlevents.orchestration.step_orchestrators import find_step_orchestrators
from mlevents.orchestration.versions import CURRENT
from mlevents.responses.flood import event_flood
from mlevents.responses.flood_report import report_flood
from mlevents.responses.gate_state import gate_state
from mlevents.responses.hold_release import release_responses
from mlevents.responses.newest_version import newest_version
from mlevents.responses.rerun import begin_rerun_orchestrator
from mlevents.responses.respond import respond_to_event
from tests.unit.actions.deploy_model.durable_stand_in import EntityCall, Hub

FOLDERS = re.compile(r"(?<=File \\\")/[^\"\n]*?(?=[^/]+/[^/]+\\\")")
"""All but the last folder and the name of a path in a stack trace, in JSON text."""
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
MOST_TURNS = 2000
ORCHESTRATORS: dict[str, Callable[..., Any]] = {
    RESPOND_TO_EVENT: respond_to_event,
    **{name: resolve_name(place) for name, place in find_step_orchestrators().items()},
    REPORT_FLOOD: report_flood,
    BEGIN_RERUN: begin_rerun_orchestrator,
    RELEASE_RESPONSES: release_responses,
}
ENTITIES: dict[str, Callable[..., Any]] = {
    ENDPOINT_LEASE.lower(): endpoint_lease,
    NEWEST_VERSION.lower(): newest_version,
    EVENT_FLOOD.lower(): event_flood,
    GATE_STATE.lower(): gate_state,
}
LOST = "Invocation of function 'EndpointLease' failed with an exception."

Turns = list[list[pb.HistoryEvent]]
Perform = Callable[[dict[str, Any]], dict[str, Any]]


def turn(orchestrator: Callable[..., Any], instance: str, turns: Turns) -> pb.OrchestratorResponse:
    """What the executor answers to a history; its last turn is new."""
    past = [event for one in turns[:-1] for event in one]
    request = pb.OrchestratorRequest(instanceId=instance, pastEvents=past, newEvents=turns[-1])
    encoded = base64.b64encode(request.SerializeToString()).decode()
    answer = DurableFunctionsWorker().execute_orchestration_request(orchestrator, encoded)
    response = pb.OrchestratorResponse()
    response.ParseFromString(base64.b64decode(answer))
    return response


def completion(response: pb.OrchestratorResponse) -> pb.CompleteOrchestrationAction | None:
    """How an orchestration ended in this turn, if it did."""
    for action in response.actions:
        if action.HasField("completeOrchestration"):
            return action.completeOrchestration
    return None


@dataclass
class Recorder:
    """A world of orchestrations; `recorded` are their histories, by instance id.

    `perform` answers PerformStep; `advance` lets time pass; `loses` says which entity call, counted from 1,
    gets the answer of a dispatch that failed; it has an effect only if `effective`. `statuses` are
    those of other instances. `raises` gives the interventions that an instance gets after its turn of this
    number. `holds` and `rounds` are the answers of ReadHolds and ReleaseNext, the last one for good. `ended`
    are the statuses with which an instance gets no intervention any more. `reads` answers ReadForGate; `sent`
    are the messages to other instances, `found` the first answers to them: how many exist, and run. Without
    `delivers_signals`, those to entities are still on their way.
    """

    perform: Perform
    advance: Callable[[float], None] = lambda _: None
    loses: Callable[[int], bool] = lambda _: False
    effective: bool = False
    raises: Callable[[str, int], list[dict[str, Any]]] = lambda *_: []
    holds: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    rounds: list[dict[str, Any]] = field(default_factory=lambda: [{"done": True}])
    reads: Perform = lambda _: {"kind": "failed", "detail": "nothing can be read here"}
    ended: tuple[str, ...] = ()
    delivers_signals: bool = True
    sent: list[Any] = field(default_factory=list)
    found: list[list[int]] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    entities: dict[str, Any] = field(default_factory=dict)
    recorded: dict[str, tuple[str, Turns, str]] = field(default_factory=dict)
    now: datetime = BEGAN
    entity_calls: int = 0

    def run(
        self, name: str, instance: str, text: str, version: str = CURRENT
    ) -> pb.CompleteOrchestrationAction:
        """Run an orchestration, given a JSON text as its input, to its end."""
        started = helpers.new_execution_started_event(name, instance, json.dumps(text), version=version)
        turns: Turns = [[self._started(), started]]
        for _ in range(MOST_TURNS):
            response = turn(ORCHESTRATORS[name], instance, turns)
            signals = [action for action in response.actions if is_signal(action)]
            for action in signals if self.delivers_signals else ():
                self._operate(action.sendEntityMessage.entityOperationSignaled)
            if done := completion(response):
                ended = done.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED
                self.statuses[instance] = "COMPLETED" if ended else "FAILED"
                self.recorded[instance] = (name, turns, ending(done))
                return done
            assert not signals, "an orchestration that signals an entity ends with that"
            happened = [event for action in response.actions for event in self._happens(instance, action)]
            scheduled = [event for event, _ in happened]
            raised = [
                helpers.new_event_raised_event(INTERVENTION_EVENT, json.dumps(json.dumps(one)))
                for one in self.raises(instance, len(turns))
            ]
            turns.append([self._started(), *scheduled, *raised, *(event for _, event in happened)])
        raise AssertionError(f"{name} does not end")

    def _started(self) -> pb.HistoryEvent:
        started = helpers.new_orchestrator_started_event()
        started.timestamp.FromDatetime(self.now)
        return started

    def _happens(
        self, instance: str, action: pb.OrchestratorAction
    ) -> list[tuple[pb.HistoryEvent, pb.HistoryEvent]]:
        """What the history says of an action, and of what came of it."""
        kind = action.WhichOneof("orchestratorActionType")
        return [getattr(self, f"_{kind}")(instance, action)]

    def _scheduleTask(self, _: str, action: pb.OrchestratorAction) -> Any:  # noqa: N802
        asked = json.loads(json.loads(action.scheduleTask.input.value))
        if action.scheduleTask.name == FIND_INSTANCES:
            said: Any = {one: self.statuses.get(one) for one in asked}
        elif action.scheduleTask.name == RESTART_RESPONSE:
            said = "begun"
        elif action.scheduleTask.name == PASS_ON_INTERVENTION:
            self.sent.append(asked)
            running = int(self.statuses.get(asked[0]) not in self.ended)
            said = self.found.pop(0) if self.found else [1, running]
        elif action.scheduleTask.name == READ_FOR_GATE:
            said = self.reads(asked)
        elif action.scheduleTask.name in (READ_HOLDS, RELEASE_NEXT):
            answers = self.holds if action.scheduleTask.name == READ_HOLDS else self.rounds
            said = answers.pop(0) if len(answers) > 1 else answers[0]
        elif asked.get("unless_held") and self.holds[0]:
            said = {"kind": "held", "detail": "the rule is held"}
        elif asked.get("lease") and (
            loss := find_loss(Hub(self.entities), LeaseClaim.from_json(asked["lease"]))
        ):
            said = {"kind": "lost", "detail": loss}
        else:
            said = self.perform(asked)
        scheduled = helpers.new_task_scheduled_event(action.id, action.scheduleTask.name)
        return scheduled, helpers.new_task_completed_event(action.id, json.dumps(json.dumps(said)))

    def _createTimer(self, _: str, action: pb.OrchestratorAction) -> Any:  # noqa: N802
        due = action.createTimer.fireAt.ToDatetime(tzinfo=UTC)
        self.advance(max(0.0, (due - self.now).total_seconds()))
        self.now = max(self.now, due) + timedelta(milliseconds=1)
        return helpers.new_timer_created_event(action.id, due), helpers.new_timer_fired_event(action.id, due)

    def _createSubOrchestration(self, _: str, action: pb.OrchestratorAction) -> Any:  # noqa: N802
        child = action.createSubOrchestration
        assert child.version.value, "a sub-orchestration without a version"
        created = helpers.new_sub_orchestration_created_event(
            action.id, child.name, child.instanceId, version=child.version.value
        )
        done = self.run(child.name, child.instanceId, json.loads(child.input.value), child.version.value)
        if done.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED:
            return created, helpers.new_sub_orchestration_completed_event(action.id, done.result.value)
        failed = helpers.new_sub_orchestration_failed_event(action.id, Exception("failed"))
        failed.subOrchestrationInstanceFailed.failureDetails.CopyFrom(done.failureDetails)
        return created, failed

    def _sendEntityMessage(self, _: str, action: pb.OrchestratorAction) -> Any:  # noqa: N802
        called = action.sendEntityMessage.entityOperationCalled
        target, request = called.targetInstanceId.value, called.requestId
        sent = helpers.new_event_sent_event(action.id, target, json.dumps({"id": request}), name="op")
        self.entity_calls += 1
        is_lost = self.loses(self.entity_calls)
        said = self._operate(called) if self.effective or not is_lost else None
        lost = {"result": LOST, "exceptionType": "entity dispatch failed"}
        answer = lost if is_lost else {"result": json.dumps(said)}
        return sent, helpers.new_event_raised_event(request, json.dumps(answer))

    def _operate(self, message: Any) -> Any:
        """The answer of an entity to a call, or to a signal."""
        target = message.targetInstanceId.value
        state = EntityCall(self.entities, target, message.operation)
        given = json.loads(message.input.value) if message.input.value else None
        return ENTITIES[target.split("@")[1]](state, given)


def is_signal(action: pb.OrchestratorAction) -> bool:
    """Whether an action sends an entity a message that it does not answer."""
    return action.sendEntityMessage.HasField("entityOperationSignaled")


def ending(done: pb.CompleteOrchestrationAction) -> str:
    """How an orchestration ended, in a word: the status of a response, the kind of an answer, or an error."""
    if done.orchestrationStatus != pb.ORCHESTRATION_STATUS_COMPLETED:
        return done.failureDetails.errorType
    said = json.loads(done.result.value)
    known = said if isinstance(said, dict) else json.loads(said)
    return str(known.get("status") or known.get("kind") or known)


def written(name: str, turns: Turns, end: str) -> str:
    """A history as the text of its file, without the folders of the machine in its stack traces."""
    events = [[json_format.MessageToDict(event) for event in one] for one in turns]
    known = {"orchestrator": name, "version": CURRENT, "ending": end}
    return FOLDERS.sub("", json.dumps({**known, "turns": events}, indent=1)) + "\n"


def read(text: str) -> tuple[str, Turns, str]:
    """The orchestrator's name, the history of a file, and how it ended."""
    document = json.loads(text)
    turns = [[json_format.ParseDict(event, pb.HistoryEvent()) for event in one] for one in document["turns"]]
    return document["orchestrator"], turns, document["ending"]
