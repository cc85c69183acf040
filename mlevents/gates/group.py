"""Collect the events of a key for some time, and act once for all of them.

```yaml
group: {key: "${run.experiment}", wait: 60s, at_most: 20}
```

The first event of a key leads the group: its response waits, and then acts with `group.count` and
`group.events`. The responses of the other events wait as well, and end as `stopped` once the group is closed.
So no event is lost when the leader is: the first of the others that asks long after the end acts instead.
The key counts in the workspace of the event.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from mlevents.canonical import join_parts
from mlevents.duration import PositiveDuration, format_duration, format_utc
from mlevents.events.event_type import Items
from mlevents.gates.event_group import (
    TAKEOVER_DELAY,
    EventGroup,
    find_group,
    find_open_group,
    forget_groups,
    read_groups,
    write_groups,
)
from mlevents.gates.gate import gate
from mlevents.gates.keyed_gate import KeyedGate
from mlevents.gates.visit import GateVisit, Objection, StateChange, Visiting

ASK, LEAVE, KEEP, RECALL = "ask", "leave", "keep", "recall"
FULL = "full"
MARGIN = timedelta(seconds=10)
"""How long after the end of a group its other members ask what came of it."""
KEPT = timedelta(days=30)
"""How long the events of a group are kept for a rerun of its leader."""
MOST_GROUPED, EVENTS_UNITS = 100, 100_000
"""The most events of a group, and characters of JSON for the names of all of them."""


@gate("group")
class Group(KeyedGate):
    """Collect the events of a key for some time, and act once for all of them."""

    position = 70
    stage = "response"
    listens = (FULL,)

    key: str
    """what the events of a group have in common, such as `${run.experiment}`."""
    wait: PositiveDuration
    """How long the first event of a group waits for others."""
    at_most: Annotated[int, Field(ge=1, le=MOST_GROUPED)] = 20
    """The most events of a group: one that is full acts at once."""

    @classmethod
    def describe_names(cls, names: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"group": {"count": "number", "events": Items(names)}}

    def describe_limit(self) -> str:
        limits = f"{format_duration(self.wait)}, or until there are {self.at_most}"
        return f"collects events for {limits}, and one response acts for them"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        answer = yield from self._recall(visit)
        if answer is None:
            answer = yield from self._ask(visit)
            while not answer["closed"]:
                yield from self._wait(visit, answer)
                answer = yield from self._ask(visit)
            if answer["leader"] != visit.attempt:
                return Objection(f"{_find_response(answer['leader'])} acts for it")
            if not answer["events"]:
                answer = (yield from self._recall(visit, again=True)) or answer
        if not answer["events"]:
            return Objection(f"the {answer['count']} events of its group are forgotten", notify=True)
        yield from visit.change_state(visit.response, KEEP, {**answer, "at": visit.now.isoformat()})
        events = "1 event" if answer["count"] == 1 else f"{answer['count']} events"
        visit.record(f"acts for {events} of '{self.key}'")
        visit.give_names({"group": {"count": answer["count"], "events": answer["events"]}})
        return None

    def _recall(self, visit: GateVisit, *, again: bool = False) -> Visiting[Mapping[str, Any] | None]:
        """The group for which this response acted before; only a rerun looks for it."""
        if visit.attempt == f"{visit.response}~0" and not again:
            return None
        found = yield from visit.change_state(visit.response, RECALL, {})
        return found if found.get("events") else None

    def _ask(self, visit: GateVisit) -> Visiting[Mapping[str, Any]]:
        asked = {
            "response": visit.attempt,
            "at": visit.now.isoformat(),
            "seconds": self.wait,
            "at_most": self.at_most,
            "event": visit.cut_names(EVENTS_UNITS // self.at_most),
        }
        answer = yield from visit.change_state(self._scope(visit), ASK, asked)
        if answer["filled"]:
            yield from visit.send(_find_response(answer["leader"]), FULL)
        return answer

    def _wait(self, visit: GateVisit, answer: Mapping[str, Any]) -> Visiting[None]:
        """Wait for the end of the group, and as a member until its leader has closed it."""
        end, until = datetime.fromisoformat(answer["closes"]), f"until {format_utc(answer['closes'])}"
        if answer["leader"] == visit.attempt:
            reason = f"collects events of '{self.key}' {until}"
        else:
            leader = _find_response(answer["leader"])
            end = end + MARGIN if visit.now < end + MARGIN else max(end + TAKEOVER_DELAY, visit.now + MARGIN)
            reason = f"{leader} collects events of '{self.key}' {until}"
        try:
            yield from visit.wait(end, reason)
        except Exception:  # an operator cancels: the event is not among those for which others act
            yield from visit.change_state(self._scope(visit), LEAVE, {"response": visit.attempt})
            raise

    def _scope(self, visit: GateVisit) -> str:
        return join_parts(visit.workspace, self.key)

    @classmethod
    def change_state(
        cls, state: Mapping[str, Any] | None, operation: str, document: Mapping[str, Any], /
    ) -> StateChange:
        """`ask`: joins a group, closes it if it is due, and says what came of it; `leave` undoes that.

        `keep` and `recall` are of another key: the group for which a response acts, for its reruns.
        """
        if operation == KEEP:
            return StateChange(document, {}, datetime.fromisoformat(document["at"]) + KEPT)
        if operation == RECALL:
            kept = datetime.fromisoformat(state["at"]) + KEPT if state else None
            return StateChange(state, state or {}, kept)
        change = _leave if operation == LEAVE else _ask
        return change(read_groups(state), document)


def _find_response(attempt: str) -> str:
    """The id of the response of an attempt."""
    return attempt.partition("~")[0]


def _ask(groups: list[EventGroup], asked: Mapping[str, Any]) -> StateChange:
    response, at = asked["response"], datetime.fromisoformat(asked["at"])
    group, joins = find_group(groups, response), False
    if group is None:
        joins, group = True, find_open_group(groups, at)
        if group is None:
            closes = at + timedelta(seconds=asked["seconds"])
            group = EventGroup(leader=response, closes=closes.isoformat(), at_most=asked["at_most"])
        rest = [one for one in groups if one is not group]
        group = group.join(response, asked["event"])
    else:
        rest = [one for one in groups if one is not group]
    closed = group.close_if_due(response, at)
    answer = {
        "leader": closed.leader,
        "closes": closed.closes,
        "closed": closed.closed,
        "filled": joins and closed.is_full and not closed.closed,
        "count": len(closed.members),
        "events": closed.events if closed.closed and closed.leader == response else (),
    }
    return _store([*rest, closed], answer, at)


def _leave(groups: list[EventGroup], document: Mapping[str, Any]) -> StateChange:
    response = document["response"]
    group = find_group(groups, response)
    if group is None or group.closed or response in group.left:
        return _store(groups, {})
    return _store([group.leave(response) if one is group else one for one in groups], {})


def _store(groups: list[EventGroup], answer: Mapping[str, Any], now: datetime | None = None) -> StateChange:
    kept = forget_groups(groups, now) if now else groups
    expires = max((one.expires for one in kept), default=None)
    return StateChange(write_groups(kept) if kept else None, answer, expires)
