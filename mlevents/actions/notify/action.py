"""Tell people, by mail or chat.

```yaml
uses: notify
with:
  to: [mlops-email, mlops-teams]
  template: run-failed
```

Or in words of one's own:
```yaml
uses: notify
with:
  to: mlops-teams
  subject: "Drift on ${drift.monitor}"
  text: "Generation ${drift.generation}, run ${drift.run}"
```

Templates: `run-failed`, `run-recovered`, `drift-detected`, `model-registered`, `model-deployed`,
`rollout-failed`, `rollback-done`, `response-failed`, `quarantined`, and `approval-wanted` (by the gate
`approve`); without a rule: `traffic-not-restored` (by a rollout) and `dead-letter`, to `on_failure`.
For `run-failed`, and for a template of the project that uses `reason`, the runs are read from Azure ML just
before: why they failed, and whether they still do. One that cannot be read is reported all the same.
`include_log: true` shows what a container logged and a model answered; without it, the message says where
that is kept. The end of a run's log is shown unless `include_log: false`.
In PagerDuty and Opsgenie, messages with the same `incident` are one incident; `resolve: true` resolves it.
Every receiver is notified by an attempt of its own: a retry notifies only those who were not notified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema

from mlevents.actions.action import Action, ConnectionName, Done, Outcome, Pending, StepContext, action
from mlevents.actions.notify.failed_runs import attempt_reading, describe_restarts, leave_out, list_runs
from mlevents.actions.notify.message_templates import inserted_names, reads_runs, render
from mlevents.actions.notify.message_values import list_links, presentable
from mlevents.actions.notify.receipts import Tally
from mlevents.errors import PermanentError
from mlevents.message_templates.own_templates import list_own_templates
from mlevents.message_templates.template_engine import (
    FORMER_NAMES,
    SUBJECT_LENGTH,
    known_template,
    plain,
    template_names,
)
from mlevents.registry import UnknownNameError
from mlevents.services.connection import Message, Sender, connection
from mlevents.services.message_text import is_blank, one_line
from mlevents.services.permission import ML, READER, WORKSPACE_SCOPE, Permission, actions_below
from mlevents.services.services import Services
from mlevents.yamlfile.key_choice import KeyChoice

REASON_READS = actions_below(ML, "read", "experiments/runs/read")
Receiver = Annotated[str, ConnectionName()]


class _OfferedTemplates:
    """Lists in the JSON Schema the templates that there are when it is made."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "enum": template_names()}


@action("notify")
class Notify(Action):
    """Send one message to each of some receivers."""

    notifies: ClassVar[bool] = True
    deferrable: ClassVar[bool] = True
    key_choices: ClassVar[tuple[KeyChoice, ...]] = (KeyChoice("template"), KeyChoice("subject", "text"))
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(WORKSPACE_SCOPE, READER, REASON_READS, ("template",)),
    )

    to: Receiver | Annotated[list[Receiver], Field(min_length=1)]
    """name the connections that receive the message: one, or a list."""
    template: Annotated[str, AfterValidator(known_template), _OfferedTemplates()] | None = None
    """The template of the message; or write `subject` and `text` instead."""
    subject: str | None = None
    """The subject, one line, such as `Drift on ${drift.monitor}`; it needs `text`."""
    text: str | None = None
    """The message as plain text; `${…}` inserts values of the event. It needs `subject`."""
    include_log: bool | None = None
    """Shows the container's log and the model's answer; the end of a run's log too unless it is `false`."""
    incident: str | None = None
    """In PagerDuty and Opsgenie, messages with the same key are one incident, such as `${run.experiment}`."""
    resolve: bool = False
    """Resolves the incident with this key; receivers without incidents get the message as usual."""
    unsafe_text: bool = False
    """Also sends to services for which it is not known whether they treat text as markup."""

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        for name in ("subject", "text"):
            value = getattr(self, name)
            if value is not None and is_blank(value):
                raise ValueError(f"'{name}' is blank: write what people are to read")
        if self.incident is not None and is_blank(self.incident):
            raise ValueError("'incident' is blank: write the key of the incident")
        if self.resolve and self.incident is None:
            raise ValueError("'resolve' needs 'incident': the key with which the incident was triggered")
        return self

    def find_warnings(self) -> Iterator[tuple[str, str]]:
        """A template by its former name."""
        if name := FORMER_NAMES.get(self.template or ""):
            yield "template", f"the template '{self.template}' is named '{name}' now: write {name}"

    @classmethod
    def find_permission_parameters(cls, written: Mapping[str, Any]) -> Mapping[str, Any]:
        """Without a template that shows nothing of a run: it needs no right."""
        return written if reads_runs(written.get("template")) else {**written, "template": None}

    @classmethod
    def select_names(cls, written: Mapping[str, Any], names: Mapping[str, Any]) -> Mapping[str, Any]:
        """What templates insert."""
        return inserted_names(names, written["template"]) if "template" in written else {}

    @classmethod
    def present_names(cls, names: Mapping[str, Any], written: Mapping[str, Any]) -> Mapping[str, Any]:
        """Values of one line each, without logs and answers unless the rule asks for them."""
        return presentable(names, written.get("include_log") is True)

    def find_connection_faults(
        self, connections: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str]
    ) -> Iterator[str]:
        """The receivers that text must not be sent to, because it is not known what they make of it."""
        for name in self._receivers():
            fields = dict(connections.get(name, {}))
            try:
                receiver = connection.find(str(fields.pop("type", ""))).model_validate(fields)
            except (UnknownNameError, ValidationError):
                continue  # reported where the connection is written
            if fault := receiver.find_fault(environment, self.unsafe_text):
                yield f"the connection '{name}' cannot be notified: {fault}"

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Notify one receiver; once each was tried, try those again that may be notified later."""
        with_log = self.include_log is not False
        reading = attempt_reading(context, services, with_log=with_log) if reads_runs(self.template) else {}
        if isinstance(reading, Pending):
            return reading
        if restarts := reading.get("restarts"):
            context = replace(context, names=leave_out(context.names, restarts))
            if not any(list_runs(context.names)):
                return Done(f"not sent: {describe_restarts(restarts)}", {"sent": []})
        tally = Tally.read(context.progress, context.retry)
        tally.notify(self._receivers(), self._send(context, reading.get("reason"), services))
        return self._outcome(tally, {"reading": reading} if reading else {})

    def _receivers(self) -> list[str]:
        return [self.to] if isinstance(self.to, str) else list(dict.fromkeys(self.to))

    def _send(self, context: StepContext, reason: Any, services: Services) -> Callable[[str], str]:
        subject, text = self._message(context, reason)
        source = list_own_templates().get(self.template) if self.template else context.written.get("text")
        links = list_links(source, text, {**context.names, "reason": reason})

        def send(receiver: str) -> str:
            found = services.connection(receiver)
            if not isinstance(found, Sender):
                raise PermanentError(
                    "is a connection that sends no messages: name an email, smtp or apprise one"
                )
            more = (self.unsafe_text, self.incident or "", self.resolve)
            return found.send(Message(subject, text, f"{context.key}-{receiver}", links, *more), services)

        return send

    def _message(self, context: StepContext, reason: Any) -> tuple[str, str]:
        if self.template is not None:
            return render(self.template, context, reason)
        return one_line(self.subject, SUBJECT_LENGTH), plain(self.text or "")

    def _outcome(self, tally: Tally, kept: Mapping[str, Any]) -> Outcome:
        receivers = self._receivers()
        if tally.open(receivers):
            detail = f"notified {len(tally.sent)} of {len(receivers)}{_late(tally)}"
            return Pending(detail, tally.after, {**tally.to_json(), **kept}, exact=True)
        if tally.refused:
            notified = f"; notified: {_words(tally.sent)}" if tally.sent else ""
            raise PermanentError(f"not notified: {_words(tally.refused)}{notified}")
        return Done(f"notified {_words(tally.sent)}", {"sent": receivers})


def _late(tally: Tally) -> str:
    return f"; later: {_words(tally.late)}" if tally.late else ""


def _words(said: Mapping[str, str]) -> str:
    return ", ".join(f"{receiver} ({words})" for receiver, words in said.items())
