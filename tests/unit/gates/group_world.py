"""Many responses at the gate `group` at once: each is the gate's own code, and time passes between them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from mlevents.gates.group import Group
from mlevents.gates.visit import GateMessage, StateChange, Visiting

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class CancelledError(Exception):
    """What an operator's cancel raises where a response waits."""


@dataclass
class Visit:
    """One attempt of a response at the gate; `ends` is acted, stopped, cancelled or killed."""

    world: "GroupWorld"
    response: str
    reruns: int = 0
    ends: str | None = None
    because: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    messages: list[GateMessage] = field(default_factory=list)
    workspace: str = "w"
    turn: int = 0
    run: Any = None

    @property
    def attempt(self) -> str:
        return f"{self.response}~{self.reruns}"

    @property
    def now(self) -> datetime:
        return self.world.now

    def cut_names(self, units: int) -> dict[str, Any]:
        assert units > 0
        return {"run": {"id": self.response}}

    def change_state(self, key: str, operation: str, document: dict[str, Any]) -> Visiting[dict[str, Any]]:
        return self.world.change_state(key, operation, document)
        yield

    def wait(self, until: datetime, reason: str) -> Visiting[GateMessage | None]:
        assert reason
        said: GateMessage | None = yield until
        return said

    def send(self, response: str, verb: str) -> Visiting[None]:
        self.world.send(response, verb)
        return
        yield

    def record(self, text: str) -> None:
        self.because = text

    def give_names(self, names: dict[str, Any]) -> None:
        self.given = json.loads(json.dumps(names))


@dataclass
class GroupWorld:
    """`states` are the entities, `operations` what they were asked, `due` what happens later."""

    gate: Group
    now: datetime = BEGAN
    states: dict[str, Any] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    due: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    operations: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def change_state(self, key: str, operation: str, document: dict[str, Any]) -> dict[str, Any]:
        sent = json.loads(json.dumps(document))
        self.operations.append((key, operation, sent))
        change: StateChange = Group.change_state(self.states.get(key), operation, sent)
        self.states[key] = json.loads(json.dumps(change.state)) if change.state is not None else None
        answer: dict[str, Any] = json.loads(json.dumps(change.answer))
        return answer

    def send(self, response: str, verb: str) -> None:
        for visit in self.visits:
            if visit.response == response and visit.ends is None:
                self.at(self.now, partial(self.resume, visit, visit.turn, GateMessage(verb, "", "")))

    def at(self, time: datetime, happen: Callable[[], None]) -> None:
        self.due.append((max(time, self.now), happen))
        self.due.sort(key=lambda one: one[0])

    def begin(self, response: str, reruns: int = 0, **changes: Any) -> Visit:
        """A response comes to the gate now."""
        visit = Visit(self, response, reruns, **changes)
        visit.run = self.gate.admit(visit)  # type: ignore[arg-type]
        self.visits.append(visit)
        self.advance(visit, lambda: next(visit.run))
        return visit

    def resume(self, visit: Visit, turn: int, said: GateMessage | None) -> None:
        if visit.ends is None and visit.turn == turn:
            self.advance(visit, lambda: visit.run.send(said))

    def cancel(self, visit: Visit) -> None:
        """An operator cancels a response that waits."""
        if visit.ends is None:
            self.advance(visit, lambda: visit.run.throw(CancelledError()))

    def kill(self, visit: Visit) -> None:
        """A response is terminated where it waits, and does nothing any more."""
        visit.ends = visit.ends or "killed"

    def advance(self, visit: Visit, go: Callable[[], Any]) -> None:
        visit.turn += 1
        try:
            until = go()
        except StopIteration as done:
            visit.ends = "stopped" if done.value else "acted"
            visit.because = done.value.text if done.value else visit.because
        except CancelledError:
            visit.ends = "cancelled"
        else:
            self.at(until, partial(self.resume, visit, visit.turn, None))

    def pass_time(self, **duration: float) -> None:
        """Let everything happen that is due within this time."""
        end = self.now + timedelta(**duration)
        while self.due and self.due[0][0] <= end:
            self.now, happen = self.due.pop(0)
            happen()
        self.now = end
