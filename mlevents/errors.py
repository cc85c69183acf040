"""The error tree: who can fix what went wrong, and whether a retry can help.

A message states the fact, quotes the value and names the remedy. It never holds a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class MleventsError(Exception):
    """Anything that mlevents raises on purpose."""


class ConfigError(MleventsError):
    """A setting or the rules are wrong: fix them and deploy again."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a rule file, at its place; lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str
    text: str
    setting: str = field(default="", compare=False)
    """The app setting that is not set, where that is the problem."""
    rule: str = field(default="", compare=False)
    """The id of the rule that has the problem; empty outside rules."""

    @property
    def readable_path(self) -> str:
        """The path, with the rule's id instead of its index: `retrain.where` for `rules[1].where`."""
        head, _, rest = self.path.partition("]")
        return f"{self.rule}{rest}" if self.rule and head.startswith("rules[") else self.path

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {path}{self.text}"


class RulesError(ConfigError):
    """A rule file that must not be used, with every problem found in it, in order of place."""

    def __init__(self, problems: list[Problem], warnings: list[Problem] | None = None) -> None:
        self.problems = sorted(problems)
        self.warnings = sorted(warnings or [])
        super().__init__("\n".join(map(str, self.problems)))


class EventError(MleventsError):
    """This event can never be understood; `where` is the place in it, such as `data.modelTags`."""

    def __init__(self, text: str, *, where: str = "") -> None:
        self.where = where
        super().__init__(f"{where}: {text}" if where else text)


class ActionError(MleventsError):
    """A step of a response did not succeed."""


class PermanentError(ActionError):
    """A retry will not help: the request is wrong, refused, or its object is missing."""


class StoppedError(PermanentError):
    """The step must not go on, though nothing failed: someone else has changed it, or a gate objects."""

    kind = "stopped"


class RefusedError(PermanentError):
    """A service refused the request with this HTTP status; `answer` is what it said.

    `report` is what is kept of it in the response, besides the text.
    """

    def __init__(
        self, text: str, *, status: int, answer: str, report: Mapping[str, Any] | None = None
    ) -> None:
        self.status = status
        self.answer = answer
        self.report = dict(report or {})
        super().__init__(text)


class NotAllowedError(StoppedError):
    """The rule file does not allow what a value from the event asks for; nothing was changed."""

    kind = "refused"


class TransientError(ActionError):
    """A retry may help; `retry_after` is the wait that the service asked for, in seconds.

    `busy` says that the resource only has to settle: someone else's operation on it is under way, or
    Azure's answers contradict each other. That counts against the step's timeout, not its attempts.
    """

    def __init__(self, text: str, *, retry_after: float | None = None, busy: bool = False) -> None:
        self.retry_after = retry_after
        self.busy = busy
        super().__init__(text)
