"""A small vocabulary and small files for the tests of loading."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mlevents.actions.action import Action, ConnectionName, Done, FileName, Outcome, StepContext
from mlevents.errors import RulesError
from mlevents.registry import Registry
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.rules.vocabulary import Vocabulary
from mlevents.services.connection import Connection, Text
from mlevents.services.services import Services
from mlevents.settings import Settings

SETTINGS = Settings(environment={"SUBSCRIPTION": "0", "HOOK": "https://chat.example.com"})
EMPTY_PACKAGE = "mlevents.gates"

actions = Registry[type[Action]]("action", EMPTY_PACKAGE)
connections = Registry[type[Connection]]("connection type", EMPTY_PACKAGE)
VOCABULARY = Vocabulary(actions, connections)


class Sandwich(Action):
    """What the fakes share."""

    def perform(self, context: StepContext, services: Services) -> Outcome:
        return Done("done")


@actions("run_factory")
class RunFactory(Sandwich):
    """Names a connection of one type, and values of several types."""

    connection: Annotated[str, ConnectionName(("factory",))]
    pipeline: str
    attempts: int = 1
    wait: bool = False
    parameters: dict[str, Any] = {}  # noqa: RUF012


@actions("tell")
class Tell(Sandwich):
    """Names connections that send, and a file."""

    to: Annotated[str, ConnectionName()] | list[Annotated[str, ConnectionName()]]
    text: FileName | None = None


@actions("tell_some")
class TellSome(Sandwich):
    """Names one connection that sends, or at least one in a list."""

    to: (
        Annotated[str, ConnectionName()]
        | Annotated[list[Annotated[str, ConnectionName()]], Field(min_length=1)]
    )


@connections("factory")
class Factory(Connection):
    """Sends nothing."""

    id: str


@connections("chat")
class Chat(Connection):
    """Sends."""

    url: Text

    def send(self, message: object, services: Services) -> str:
        return "sent"


HEAD = """\
version: 1
connections:
  adf: {type: factory, id: "factories/${env.SUBSCRIPTION}"}
  team: {type: chat, url: {setting: HOOK}}
rules:
  - id: first
    event: model.registered
"""
"""Seven lines, the last of them within a rule that lacks its steps."""

TELL = "    do: [{uses: tell, with: {to: team}}]\n"


def load_text(text: str, folder: Path = Path(), **options: Any) -> Rules:
    """Load with the small vocabulary."""
    return load_rules_text(text, folder / "rules.yaml", SETTINGS, vocabulary=VOCABULARY, **options)


def problems(text: str, folder: Path = Path(), **options: Any) -> list[str]:
    """Every problem as it is printed, none for a good file."""
    try:
        load_text(text, folder, **options)
    except RulesError as error:
        return str(error).splitlines()
    return []
