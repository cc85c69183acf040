"""The first response of a key acts, and those that follow within a time do not.

```yaml
throttle: {key: "${drift.monitor}", once_per: 12h}
```

The key counts in the workspace of the event. A response that a later gate stops gives its place back, so the
next one may act. A rerun of the response that acted is not throttled.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mlevents.canonical import join_parts
from mlevents.duration import PositiveDuration, format_duration, format_utc
from mlevents.gates.gate import gate
from mlevents.gates.keyed_gate import GIVE_BACK, TAKE, KeyedGate
from mlevents.gates.visit import GateVisit, Objection, StateChange, Visiting


@gate("throttle")
class Throttle(KeyedGate):
    """The first response of a key acts, and those that follow within a time do not."""

    position = 60
    stage = "response"

    key: str
    """what is throttled, such as `${drift.monitor}`."""
    once_per: PositiveDuration
    """How long no other response of this key may act."""

    def describe_limit(self) -> str:
        return f"{self._limit}, decided when the response runs"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        asked = {**self._ask(visit), "seconds": self.once_per}
        answer = yield from visit.change_state(self._scope(visit), TAKE, asked)
        if answer["response"] == visit.response:
            return None
        since = format_utc(answer["at"])
        return Objection(f"{answer['response']} acted for '{self.key}' at {since}, and {self._limit}")

    def withdraw(self, visit: GateVisit, /) -> Visiting[None]:
        yield from visit.change_state(self._scope(visit), GIVE_BACK, self._ask(visit))

    def _ask(self, visit: GateVisit) -> dict[str, Any]:
        return {"response": visit.response, "attempt": visit.attempt, "at": visit.now.isoformat()}

    @property
    def _limit(self) -> str:
        return f"one may act per {format_duration(self.once_per)}"

    def _scope(self, visit: GateVisit) -> str:
        return join_parts(visit.workspace, self.key)

    @classmethod
    def change_state(
        cls, state: Mapping[str, Any] | None, operation: str, document: Mapping[str, Any], /
    ) -> StateChange:
        """`take`: who acts now, the asking response if the place is free; `give_back` frees its place.

        A repetition changes nothing: the times are those of the responses, not of the messages, and a place
        that was given back is free for those that ask later. A rerun is the same response, and acts; one
        that is stopped gives nothing back where an earlier attempt has acted.
        """
        if operation == GIVE_BACK:
            if state and state["attempt"] == document["attempt"] and not _is_later(state, document):
                state = {"returned": document["at"], **state}
            return StateChange(state, {}, _end(state) if state else None)
        if state is None or _is_free(state, datetime.fromisoformat(document["at"])):
            state = document
        return StateChange(state, state, _end(state))


def _is_free(state: Mapping[str, Any], at: datetime) -> bool:
    """Whether the place is free for a response of this time: its own was given back, or is over."""
    returned = state.get("returned")
    return _end(state) <= at or (returned is not None and datetime.fromisoformat(returned) < at)


def _is_later(state: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    return datetime.fromisoformat(state["at"]) > datetime.fromisoformat(document["at"])


def _end(state: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(state["at"]) + timedelta(seconds=state["seconds"])
