"""Responses at their gates, in Microsoft's own executor: they share what the gates store, and time."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from tests.histories.recorder import BEGAN, Recorder

RETRY = {"attempts": 1, "first": 1, "max": 1}
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


def make_step(name: str, **changes: Any) -> dict[str, Any]:
    known = {"id": name, "uses": "notify", "with": {}, "if": None, "retry": RETRY, "timeout": None}
    return {**known, **changes}


@dataclass
class GateWorld:
    """Completes responses one after another; `performed` are the calls of their steps, in order.

    `raises` gives the messages for a response after its turn of a number; `reads` answers what gates read;
    `answers` are those of steps, by verb. `holds` and `loses` are as for a recorder.
    """

    entities: dict[str, Any] = field(default_factory=dict)
    now: datetime = BEGAN
    reads: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    raises: Callable[[str, int], list[dict[str, Any]]] = lambda *_: []
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    holds: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    loses: Callable[[int], bool] = lambda _: False
    performed: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    recorder: Recorder | None = None

    def respond(self, name: str, gates: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The outcome of a response with these gates, their values filled in."""
        event = {
            "id": name,
            "type": "model.registered",
            "subject": "models/net:7",
            "time": None,
            "kinds": [],
            "topic": WORKSPACE,
            "names": {},
            **changes.pop("event", {}),
        }
        known: dict[str, Any] = {"id": f"rule.{name}", "rule": "rule", "event": event, "gates": gates}
        steps = {"steps": [make_step("act")], "on_failure": [make_step("alarm")]}
        recorder = Recorder(self._perform, entities=self.entities, now=self.now, sent=self.sent)
        recorder.raises, recorder.holds, recorder.loses = self.raises, self.holds, self.loses
        if self.reads:
            recorder.reads = self.reads
        done = recorder.run(RESPOND_TO_EVENT, known["id"], json.dumps({**known, **steps, **changes}))
        assert done.result.value, done.failureDetails.errorMessage
        self.now, self.recorder = recorder.now, recorder
        outcome: dict[str, Any] = json.loads(done.result.value)
        return outcome

    def advance(self, **duration: float) -> None:
        """Let time pass between two responses, as for `timedelta`."""
        self.now += timedelta(**duration)

    def _perform(self, call: dict[str, Any]) -> dict[str, Any]:
        self.performed.append(call)
        return {"kind": "done", "detail": "performed", **self.answers.get(call["verb"], {})}


def message(verb: str, by: str = "someone@example.com", reason: str = "", number: int = 1) -> dict[str, Any]:
    """What reaches a response that waits."""
    return {"id": f"{verb}-{number}", "verb": verb, "by": by, "reason": reason, "time": BEGAN.isoformat()}
