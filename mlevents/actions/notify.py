"""Tell people, by mail or chat.

```yaml
uses: notify
with:
  to: [mlops-email, mlops-teams]
  template: run-failed
```

or in words of one's own:

```yaml
uses: notify
with:
  to: mlops-teams
  subject: "Drift on ${drift.monitor}"
  text: "Generation ${drift.generation}, run ${drift.run}"
```

Templates: `run-failed`, `model-deployed`, `response-failed`, `response-quarantined`,
`rollout-failed`, `rollback-done` and `traffic-not-restored` (which a rollout sends by itself, to the
receivers of `on_failure`, while it cannot put the traffic back).
Every receiver is told by an attempt of its own, and progress remembers it: one that fails keeps no
other from being told, and a retry tells only those who were not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from mlevents.actions.action import Action, ConnectionName, Done, Outcome, Pending, StepContext, action
from mlevents.actions.message_templates import inserted_names, known_template, one_line, plain, render
from mlevents.errors import ConfigError, PermanentError, TransientError
from mlevents.services.connection import Message, Sender
from mlevents.services.services import Services

Receiver = Annotated[str, ConnectionName()]
AGAIN_AFTER = 5.0
"""Seconds before those are tried again who could not be told in the first round."""


@dataclass(slots=True)
class Tally:
    """Who was told, who never can be, and who may be later: receiver → what was said of it."""

    sent: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, progress: Mapping[str, Any]) -> Self:
        """The tally that an earlier attempt left."""
        return cls(**{name: dict(progress.get(name) or {}) for name in ("sent", "refused", "late")})


@action("notify")
class Notify(Action):
    """Send one message to each of some receivers."""

    notifies: ClassVar[bool] = True

    to: Receiver | Annotated[list[Receiver], Field(min_length=1)]
    template: Annotated[str, AfterValidator(known_template)] | None = None
    subject: str | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _one_message(self) -> Self:
        given = [name for name in ("template", "subject", "text") if getattr(self, name) is not None]
        if given not in (["template"], ["subject", "text"]):
            has = (
                f"there is {'only ' if len(given) < 2 else ''}{' and '.join(given)}"
                if given
                else "there is none of them"
            )
            raise ValueError(f"give either 'template', or both 'subject' and 'text': {has}")
        return self

    @classmethod
    def names_read(cls, written: Mapping[str, Any], names: Mapping[str, Any]) -> Mapping[str, Any]:
        """What templates insert."""
        return inserted_names(names) if "template" in written else {}

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Tell one receiver; once each was tried, try those again that may be told later."""
        tally = Tally.read(context.progress)
        open_ = [name for name in self._receivers() if name not in tally.sent | tally.refused]
        untried = [name for name in open_ if name not in tally.late]
        tell = self._tell(context, services)
        if untried and len(open_) > 1:
            _try(untried[0], tell, tally)
        elif open_:
            _try_again(open_, tell, tally)
        return self._outcome(tally)

    def _receivers(self) -> list[str]:
        return [self.to] if isinstance(self.to, str) else list(dict.fromkeys(self.to))

    def _tell(self, context: StepContext, services: Services) -> Callable[[str], str]:
        subject, text = self._message(context)

        def tell(receiver: str) -> str:
            connection = services.connection(receiver)
            if not isinstance(connection, Sender):
                raise PermanentError(
                    "is a connection that sends no messages: name an email, smtp or apprise one"
                )
            return connection.send(Message(subject, text, f"{context.key}-{receiver}"), services)

        return tell

    def _message(self, context: StepContext) -> tuple[str, str]:
        if self.template is not None:
            return render(self.template, context)
        return one_line(self.subject), plain(self.text or "")

    def _outcome(self, tally: Tally) -> Outcome:
        receivers = self._receivers()
        ended = tally.sent | tally.refused
        open_ = [name for name in receivers if name not in ended]
        if open_:
            after = AGAIN_AFTER if all(name in tally.late for name in open_) else 0.0
            return Pending(f"told {len(tally.sent)} of {len(receivers)}", after, asdict(tally))
        if tally.refused:
            told = f"; told: {_words(tally.sent)}" if tally.sent else ""
            raise PermanentError(f"not told: {_words(tally.refused)}{told}")
        return Done(f"told {_words(tally.sent)}", {"sent": receivers})


def _try(receiver: str, tell: Callable[[str], str], tally: Tally) -> TransientError | None:
    """Tell one receiver and note what came of it; an error that may pass is noted and returned."""
    try:
        tally.sent[receiver] = tell(receiver)
        tally.late.pop(receiver, None)
    except (PermanentError, ConfigError) as error:
        tally.refused[receiver] = str(error)
    except TransientError as error:
        tally.late[receiver] = str(error)
        return error
    return None


def _try_again(receivers: list[str], tell: Callable[[str], str], tally: Tally) -> None:
    """Try until one is told or refused, which progress must hold; raises when none could be."""
    errors = []
    for receiver in receivers:
        error = _try(receiver, tell, tally)
        if error is None:
            return
        errors.append(error)
    waits = [error.retry_after for error in errors if error.retry_after is not None]
    late = {receiver: tally.late[receiver] for receiver in receivers}
    raise TransientError(f"not told yet: {_words(late)}", retry_after=max(waits, default=None)) from errors[
        -1
    ]


def _words(said: Mapping[str, str]) -> str:
    return ", ".join(f"{receiver} ({words})" for receiver, words in said.items())
