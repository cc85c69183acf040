"""The message templates beside the rules: every file of `templates/` that is not YAML or JSON."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlevents.actions.notify.message_templates import INSERTED_VALUES
from mlevents.errors import Problem, RulesError
from mlevents.events.studio_links import ENDPOINT_NAMES
from mlevents.gates.gate import gate
from mlevents.gates.given_names import list_given_names
from mlevents.matching.where import ANY_EVENT, list_expression_names
from mlevents.message_templates.template_engine import FORMER_NAMES, SHIPPED_TEMPLATES, check_template
from mlevents.rules.rule_check import SILENCE_NAMES
from mlevents.rules.rule_folder import find_beside
from mlevents.rules.rule_source import read_text

TEMPLATES = "templates"
_OTHER_FILES = (".yaml", ".yml", ".json")
"""What steps name by its path, such as a deployment template."""


@dataclass(slots=True)
class MessageTemplates:
    """The texts by name, and what is wrong in the files."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def list_template_files(rules: Path) -> list[Path]:
    """The files, by name; one that begins with `_` is not used."""
    files = (file for folder in find_beside(rules, TEMPLATES) for file in folder.iterdir())
    return sorted(
        file
        for file in files
        if file.name[0] not in "_." and file.suffix not in _OTHER_FILES and file.is_file()
    )


def read_message_templates(files: list[Path]) -> MessageTemplates:
    """The templates in these files."""
    found, places = MessageTemplates(), dict[str, Path]()
    for file in files:
        name = file.name.partition(".")[0]
        problems = list(_find_problems(name, file, places))
        found.problems += problems
        if not problems:
            places[name] = file
            found.texts[name] = read_text(file)
    return found


def _find_problems(name: str, file: Path, places: Mapping[str, Path]) -> Iterator[Problem]:
    if name in (*SHIPPED_TEMPLATES, *FORMER_NAMES):
        yield Problem(str(file), 1, 1, "", f"mlevents has a template '{name}': rename the file")
    elif name in places:
        yield Problem(
            str(file), 1, 1, "", f"{places[name]} is a template '{name}' too: rename one of the two"
        )
    try:
        text = read_text(file)
    except RulesError as error:
        yield from error.problems
        return
    yield from (Problem(str(file), line, 1, "", fault) for line, fault in check_template(text, _list_names()))


def _list_names() -> dict[str, Collection[str] | None]:
    """What a template can insert, whatever the rule that names it."""
    events = list_expression_names((ANY_EVENT,))
    given = list_given_names(gate.names(), events)
    return {**INSERTED_VALUES, **events, **given, **SILENCE_NAMES, **ENDPOINT_NAMES}
