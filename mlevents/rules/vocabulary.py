"""The parts of the language that are found in packages: actions and types of connection."""

from dataclasses import dataclass
from typing import Any

from mlevents.actions.action import Action, action
from mlevents.registry import Registry
from mlevents.services.connection import Connection, connection


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The actions and types of connection that a rule file may use: all of them by default."""

    actions: Registry[type[Action]] = action
    connections: Registry[type[Connection]] = connection

    def list_given_names(self, steps: object) -> dict[str, Any]:
        """The names that steps, as written, give to those after them, besides their results."""
        found: dict[str, Any] = {}
        for step in steps if isinstance(steps, list) else ():
            name = step.get("uses") if isinstance(step, dict) else None
            target = (
                self.actions.find(name).target if isinstance(name, str) and name in self.actions else None
            )
            found |= target.given_names if target else {}
        return found


VOCABULARY = Vocabulary()
