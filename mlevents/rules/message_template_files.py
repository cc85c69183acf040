"""The message templates beside the rules: every file of `templates/` that is not YAML or JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlevents.errors import Problem, RulesError
from mlevents.matching.where import ANY_EVENT, list_names
from mlevents.message_templates.template_engine import SHIPPED_TEMPLATES, check_template
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
    if name in SHIPPED_TEMPLATES:
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
    names = list_names((ANY_EVENT,))
    yield from (Problem(str(file), line, 1, "", fault) for line, fault in check_template(text, names))
