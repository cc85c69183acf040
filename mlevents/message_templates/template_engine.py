"""Renders the templates of messages: one file for each, with the subject on the first line.

Templates insert values from events, which are untrusted: every inserted value becomes one line without
control characters, of limited length. Templates run in Jinja2's sandbox; a missing name is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlevents.duration import format_duration
from mlevents.errors import PermanentError
from mlevents.message_templates.own_templates import (
    TemplateFault,
    TemplateRoots,
    find_template_faults,
    list_own_templates,
)
from mlevents.registry import suggest_names
from mlevents.services.message_text import one_line, printable

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

FOLDER = Path(__file__).parent / "shipped"
SUBJECT_LENGTH = 200
TEXT_LENGTH = 20_000
SHIPPED_TEMPLATES = frozenset(file.stem for file in FOLDER.glob("[!_]*.txt"))
"""The names of the templates that mlevents has; a file that begins with `_` is a part of others."""
MOST_INDENT = 40
FORMER_NAMES = {"response-quarantined": "quarantined"}
"""Templates that have another name now; rules and running responses may have the former one."""


def template_names() -> list[str]:
    """Every template that can be named, those of the project too, sorted."""
    return sorted((*SHIPPED_TEMPLATES, *list_own_templates()))


def known_template(name: str) -> str:
    """The name itself; raises ValueError for one that no template has, with the nearest."""
    names = template_names()
    if name in (*names, *FORMER_NAMES):
        return name
    raise ValueError(f"unknown template '{name}'{suggest_names(name, names)}")


def check_template(text: str, known: TemplateRoots) -> Iterator[TemplateFault]:
    """What keeps a text from being a template of a project, each with its line."""
    return find_template_faults(text, _environment(), known)


def inserts_value(name: str, root: str) -> bool:
    """Whether a template of the project inserts something of this root; not if its text is broken."""
    from jinja2 import TemplateSyntaxError, meta

    try:
        tree = _environment().parse(list_own_templates().get(name, ""))
    except TemplateSyntaxError:
        return False  # reported where the template is written
    return root in meta.find_undeclared_variables(tree)


def render_template(name: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """The subject and the text of a template with these values; raises PermanentError where it fails."""
    from jinja2 import TemplateError

    try:
        written = _find_template(name).render(values)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise PermanentError(f"the template '{name}' fails: {type(error).__name__}: {error}") from error
    subject, _, text = written.strip().partition("\n")
    return one_line(subject, SUBJECT_LENGTH), plain(text)


def plain(text: str) -> str:
    """Several lines without control characters, cut at the length that every receiver takes."""
    cut = text[:TEXT_LENGTH].replace("\r\n", "\n")
    lines = ("".join(map(printable, line)).rstrip() for line in cut.strip("\n").split("\n"))
    return "\n".join(lines)


def _find_template(name: str) -> Template:
    own = list_own_templates().get(name)
    if own is not None:
        return _environment().from_string(own)
    return _environment().get_template(f"{FORMER_NAMES.get(name, name)}.txt")


class _LogLine(str):
    """One line that keeps its indent."""

    __slots__ = ()

    @classmethod
    def read(cls, value: object) -> _LogLine:
        """The line of any value."""
        text = str(value)
        return cls(" " * min(len(text) - len(text.lstrip(" ")), MOST_INDENT) + one_line(text))


def _write_value(value: object) -> str:
    if isinstance(value, _LogLine):
        return value
    return "" if value is None else one_line(value)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import ChainableUndefined, FileSystemLoader
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"),
        autoescape=False,  # plain text: the receivers escape for their own markup
        undefined=ChainableUndefined,
        finalize=_write_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = format_duration
    environment.filters["log_line"] = _LogLine.read
    return environment
