"""What `az`, `azd` and `func` accept, from tests/data/azure_commands.json: refuses what they would refuse."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[1] / "data/azure_commands.json"
PROGRAMS = ("az", "azd", "func")
FORMS = {"az functionapp create --assign-identity": re.compile(r"\[system\]|/subscriptions/.+|\$\w+")}
"""What the values of an option look like, where its type does not say so (the help text of azure-cli)."""


@dataclass
class Invocation:
    """A command as it was written: its name, its options with their values, its other words."""

    program: str
    command: str
    options: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def value(self, name: str) -> str:
        """The last value of an option, by any of its names."""
        return next((values[-1] for key, values in self.options.items() if key == name and values), "")


@cache
def table() -> dict[str, Any]:
    return json.loads(TABLE.read_text(encoding="utf-8"))


def known_options(program: str, command: str) -> dict[str, str]:
    """What each spelling of an option takes, those that every command has among them."""
    found = table()[program]
    written = {**found["global"], **found["commands"][command]["options"]}
    return {name: takes for names, takes in written.items() for name in names.split()}


def command_of(program: str, words: list[str]) -> str:
    """The longest command that the words begin with; empty when there is none."""
    for length in range(len(words), 0, -1):
        name = " ".join(words[:length])
        if name in table()[program]["commands"]:
            return name
    return ""


def is_group(program: str, words: list[str]) -> bool:
    """Whether the words name a group of commands, such as `az provider`."""
    return any(name.startswith(" ".join(words) + " ") for name in table()[program]["commands"])


def parse(program: str, words: list[str]) -> tuple[Invocation, list[str]]:
    """The command in the words after the program's name, and what is wrong with it."""
    command = command_of(program, words)
    if not command:
        return Invocation(program, ""), [f"{program}: '{' '.join(words[:4])}' is not a known command"]
    known, found = known_options(program, command), Invocation(program, command)
    problems, rest = [], words[len(command.split()) :]
    while rest:
        word = rest.pop(0)
        name, attached, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not word.startswith("-"):
            found.words.append(word)
        elif name not in known:
            problems.append(f"{program} {command}: unknown option {name}")
        else:
            values = [value] if attached else list(_values(known[name], rest))
            found.options.setdefault(name, []).extend(values)
            problems += _wrong_values(f"{program} {command}", name, known[name], values)
    return found, [*problems, *_missing(found)]


def _values(takes: str, rest: list[str]) -> Iterator[str]:
    kind = takes.removeprefix("required ").split(":")[0]
    if kind == "flag":
        return
    while rest and not _is_option(rest[0]):
        yield rest.pop(0)
        if kind == "value":
            return


def _is_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not word[1].isdigit()


def _wrong_values(command: str, name: str, takes: str, values: list[str]) -> list[str]:
    kind, _, choices = takes.removeprefix("required ").partition(": ")
    if kind != "flag" and not values:
        return [f"{command}: {name} has no value"]
    literal = [one for one in values if "$" not in one and "…" not in one and "PLACEHOLDER" not in one]
    if form := FORMS.get(f"{command} {name}"):
        return [f"{command}: {name} {one} is not {form.pattern}" for one in values if not form.fullmatch(one)]
    allowed = choices.lower().split()
    return [
        f"{command}: {name} {one} is none of {choices}"
        for one in literal
        if allowed and one.lower() not in allowed
    ]


def _missing(found: Invocation) -> list[str]:
    command = table()[found.program]["commands"][found.command]
    problems = [
        f"{found.program} {found.command}: {names} is required"
        for names, takes in command["options"].items()
        if takes.startswith("required ") and not set(names.split()) & set(found.options)
    ]
    ranges = [one.partition("-") for one in command["positional"].split(" or ")]
    if not any(int(least) <= len(found.words) <= int(most or least) for least, _, most in ranges):
        problems.append(
            f"{found.program} {found.command}: takes {command['positional']} words, not {found.words}"
        )
    return problems
