"""A silence: no event came for as long as a rule with `expect: {every: …}` allows. Deciding is pure.

A silence that lasts begins a response again after each further time of this length, so that nobody forgets
it. Each has an id that follows from the rule, the workspace, and when the silence began: it begins once,
however often the timer looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from durabletask.client import AsyncTaskHubGrpcClient

from mlevents.canonical import join_parts
from mlevents.duration import format_duration
from mlevents.events import Event
from mlevents.events.envelope import workspace
from mlevents.gates.arrivals import Arrivals
from mlevents.gates.expect import BEGIN, Expect
from mlevents.gates.expected_events import format_key
from mlevents.matching.match import NO_EVENT, RuleMatch
from mlevents.orchestration.messages import Response
from mlevents.orchestration.serialization import to_text
from mlevents.responses.arrival_records import find_scope
from mlevents.responses.decision import respond
from mlevents.responses.gate_state import gate_state_id, read_stored_state
from mlevents.rules.model import Rule, Rules
from mlevents.settings import Settings


@dataclass(frozen=True, slots=True)
class SilenceWatch:
    """A rule that waits for events of a workspace; an empty `topic` means of any."""

    rule: Rule
    own: Expect
    topic: str

    def find_silence(self, state: Mapping[str, Any], now: datetime) -> Event | None:
        """The event of the silence that lasts now, by what the gate has stored; None for no silence."""
        ends = [one.moment for one in Arrivals.from_json(state).ends]
        began, last = datetime.fromisoformat(state["began"]), max(ends, default=None)
        since = max(began, last) if last else began
        times = int((now - since).total_seconds() // self.own.seconds)
        if times < 1:
            return None
        due = since + timedelta(seconds=self.own.seconds * times)
        found = {"every": format_duration(self.own.seconds), "since": since.isoformat(timespec="seconds")}
        found |= {"last": last.isoformat(timespec="seconds")} if last else {}
        name = join_parts(self.rule.id, self.topic, since.isoformat(), str(times))
        own = {"id": name, "type": NO_EVENT, "time": due.isoformat(), "subject": self.rule.id}
        names = {"event": own, "workspace": workspace(self.topic), "expect": found}
        return Event(name, NO_EVENT, (), due.isoformat(), self.rule.id, self.topic, names)


async def look_for_silence(
    watch: SilenceWatch, client: AsyncTaskHubGrpcClient, rules: Rules, now: datetime
) -> Event | None:
    """The event of the silence that lasts now; the first look only begins the time."""
    key = join_parts(find_scope(watch.topic, rules), format_key({}))
    entity = gate_state_id("expect", watch.rule.id, key)
    found = await client.get_entity(entity)
    stored = read_stored_state(found.get_typed_state(str) if found else None)
    if stored is None or not stored.state.get("began"):
        begun = to_text({"time": now.isoformat(), "seconds": watch.own.seconds})
        await client.signal_entity(entity, BEGIN, begun)
        return None
    return watch.find_silence(stored.state, now)


def respond_to_silence(watch: SilenceWatch, event: Event, rules: Rules, settings: Settings) -> Response:
    """The response of a rule to a silence."""
    found = RuleMatch(watch.rule, NO_EVENT, matches=True, failed=None)
    return respond(event, found, rules, settings, datetime.fromisoformat(event.time or ""))


def list_silence_watches(rules: Rules) -> list[SilenceWatch]:
    """Each rule that acts when no event came, in each workspace of the file."""
    return [
        SilenceWatch(rule, own, topic)
        for rule in rules.rules
        if rule.mode != "disabled" and isinstance(own := rule.gates.get("expect"), Expect) and own.every
        for topic in rules.workspaces.values() or [""]
    ]
