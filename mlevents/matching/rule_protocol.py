"""What matching needs of a rule, and of a rule file; `mlevents.rules.model` has both."""

from typing import Protocol

from mlevents.matching.where import Where


class MatchableRule(Protocol):
    """A rule: its kinds of event, its bound conditions, and its mode."""

    @property
    def event(self) -> tuple[str, ...]: ...
    @property
    def where(self) -> Where | None: ...
    @property
    def mode(self) -> str: ...


class NamedRule(MatchableRule, Protocol):
    """One that has an id, by which people know it."""

    @property
    def id(self) -> str: ...


class MatchableRules[R: MatchableRule](Protocol):
    """The rules of a file, in file order."""

    @property
    def rules(self) -> tuple[R, ...]: ...
