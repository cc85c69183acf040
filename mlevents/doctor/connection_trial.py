"""A test message through a connection: what a step `notify` does with it, for no event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import uuid4

from mlevents.actions.action import StepContext, action
from mlevents.actions.notify.action import Notify
from mlevents.doctor.azure_checks import PartFinding
from mlevents.duration import format_utc
from mlevents.errors import ConfigError
from mlevents.events import Event
from mlevents.registry import suggest_names
from mlevents.rules.model import Rules
from mlevents.rules.needs import list_distinct_steps
from mlevents.services.connection import ConnectionName, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.services import Services
from mlevents.settings import Settings

_SUBJECT = "Test message from mlevents"
_TEXT = """\
This is a test of the connection '{name}'. Nothing happened, and nobody needs to do anything.

Connection:  {name}
Type:        {kind}
Sent by:     {sender}
Sent at:     {time}

Open Studio: https://ml.azure.com/"""


@dataclass(frozen=True, slots=True)
class ConnectionTrial:
    """Sends test messages through the connections of a rule file, by whom and when the message says."""

    rules: Rules
    settings: Settings
    sender: str
    time: datetime

    def find_type(self, name: str) -> str:
        """The type of a connection; raises ConfigError for one that the rule file does not have."""
        known = self.rules.connections
        if name not in known:
            raise ConfigError(f"unknown connection '{name}'{suggest_names(name, sorted(known))}")
        return str(known[name]["type"])

    def send(self, name: str) -> PartFinding:
        """Send one message; the finding says what came of it. Raises ConfigError as `find_type` does."""
        kind = self.find_type(name)
        remedy = f"correct the connection '{name}', or its app settings; try again later if it is busy"
        if not hasattr(connection.find(kind), "send"):
            said = f"not sent: connections of type {kind} send no messages to people"
            return _found(name, Finding("test message", False, said, _describe_trial(kind)))
        return _found(name, run_check("test message", partial(self._send, name, kind), remedy))

    def _send(self, name: str, kind: str) -> str:
        """What came of it, in words; raises ActionError or ConfigError."""
        key = f"mlevents-test-{uuid4().hex}"
        text = _TEXT.format(name=name, kind=kind, sender=self.sender, time=format_utc(self.time.isoformat()))
        step = Notify(to=name, subject=_SUBJECT, text=text, unsafe_text=self._accepts_unsafe(name))
        event = Event(key, "test", (), self.time.isoformat(), "test", "", {})
        context = StepContext(key, "", "test", key, event, {}, written={"subject": _SUBJECT, "text": text})
        outcome = step.perform(context, Services(self.settings, self.rules.connections))
        return f"'{_SUBJECT}' is sent: {outcome.detail}"

    def _accepts_unsafe(self, name: str) -> bool:
        """Whether a step of the rules that notifies it has `unsafe_text`."""
        steps = (one for one in list_distinct_steps(self.rules) if one.action.notifies)
        return any(one.parameters.get("unsafe_text") is True and name in one.connections() for one in steps)


def _found(name: str, finding: Finding) -> PartFinding:
    return PartFinding(f"connection {name}", finding)


def _describe_trial(kind: str) -> str:
    """How to try a connection to which no message can be sent."""
    users = [name for name, one in action.items() for types in _list_types(one) if kind in types]
    used = " or ".join(dict.fromkeys(users))
    return (
        f"`mlevents doctor` checks it as far as it can; publish an event for a rule with {used} to use it"
        if used
        else "`mlevents doctor` checks it as far as it can"
    )


def _list_types(used: type) -> list[tuple[str, ...]]:
    """The types of connections that each parameter of an action may name."""
    markers = (one for field in used.model_fields.values() for one in field.metadata)  # type: ignore[attr-defined]
    return [one.types for one in markers if isinstance(one, ConnectionName)]
