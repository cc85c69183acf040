"""The parts of the language that are found in packages: actions and types of connection."""

from dataclasses import dataclass

from mlevents.actions.action import Action, action
from mlevents.registry import Registry
from mlevents.services.connection import Connection, connection


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The actions and types of connection that a rule file may use: all of them by default."""

    actions: Registry[type[Action]] = action
    connections: Registry[type[Connection]] = connection


VOCABULARY = Vocabulary()
