"""The message templates of `notify`: one file for each, with the subject on the first line.

Templates insert values from events, which are untrusted: every inserted value becomes one line without
control characters, of limited length. Templates run in Jinja2's sandbox; a missing name is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlevents.actions.notify.own_templates import (
    TemplateFault,
    TemplateRoots,
    find_template_faults,
    list_own_templates,
)
from mlevents.duration import format_duration
from mlevents.errors import PermanentError
from mlevents.registry import suggest_names
from mlevents.services.message_text import VALUE_LENGTH, one_line, printable

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from mlevents.actions.action import StepContext

FOLDER = Path(__file__).parent / "templates"
SUBJECT_LENGTH = 200
TEXT_LENGTH = 20_000
MOST_ITEMS = 100
READING_TEMPLATE, READ_VALUE = "run-failed", "reason"
"""The template of mlevents for which runs are read, and the value by which an own template asks for that."""
SHIPPED_TEMPLATES = frozenset(file.stem for file in FOLDER.glob("*.txt"))
"""The names of the templates that mlevents has."""


def template_names() -> list[str]:
    """Every template that can be named, those of the project too, sorted."""
    return sorted((*SHIPPED_TEMPLATES, *list_own_templates()))


def known_template(name: str) -> str:
    """The name itself; raises ValueError for one that no template has, with the nearest."""
    names = template_names()
    if name in names:
        return name
    raise ValueError(f"unknown template '{name}'{suggest_names(name, names)}")


def check_template(text: str, known: TemplateRoots) -> Iterator[TemplateFault]:
    """What keeps a text from being a template of a project, each with its line."""
    return find_template_faults(text, _environment(), known)


def reads_runs(name: object) -> bool:
    """Whether a template shows why runs failed."""
    from jinja2 import TemplateSyntaxError, meta

    if name in SHIPPED_TEMPLATES or name not in list_own_templates():
        return name == READING_TEMPLATE
    try:
        tree = _environment().parse(list_own_templates()[str(name)])
    except TemplateSyntaxError:
        return False  # reported where the template is written
    return READ_VALUE in meta.find_undeclared_variables(tree)


def render(name: str, context: StepContext, reason: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """The subject and the text of a template for this step; raises PermanentError where it fails.

    `reason` is what `failed_runs` has read, where a template shows it.
    """
    from jinja2 import TemplateError

    try:
        written = _find_template(name).render({**_names(context), READ_VALUE: reason or {}})
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
    return _environment().get_template(f"{name}.txt") if own is None else _environment().from_string(own)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import ChainableUndefined, FileSystemLoader
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"),
        autoescape=False,  # plain text: the receivers escape for their own markup
        undefined=ChainableUndefined,
        finalize=lambda value: "" if value is None else one_line(value),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = format_duration
    return environment


def _names(context: StepContext) -> dict[str, Any]:
    """The event's names, and the other values that templates show."""
    run, deployed = _map(context.names, "run"), _deployed(context.names)
    endpoint = str(deployed.get("endpoint") or "")
    monitor_run = _map(context.names, "drift").get("monitor_run")
    workspace = str(_map(context.names, "workspace").get("id") or context.event.topic)
    return {
        **context.names,
        "topic": context.event.topic,
        "event_type": context.event.type,
        "response": {"id": context.id, "rule": context.rule, "step": context.step},
        "error": _error(run),
        "endpoint": endpoint,
        "deployed": deployed,
        "run_link": _link(f"runs/{_quoted(run['id'])}", workspace) if run.get("id") else "",
        "endpoint_link": _link(f"endpoints/realtime/{_quoted(endpoint)}/detail", workspace)
        if endpoint
        else "",
        "drift_link": _link(f"runs/{_quoted(monitor_run)}", workspace) if monitor_run else "",
    }


def inserted_names(names: Mapping[str, Any], template: object = None) -> dict[str, Any]:
    """Of an event's names, `steps` and `failure` what this template can insert, as far as it can show it.

    A template of mlevents shows of tags and properties the error of a run, and of steps the deployment.
    """
    if template not in SHIPPED_TEMPLATES:
        return {root: _start(value) for root, value in names.items()}
    found: dict[str, Any] = {
        root: {name: _start(value) for name, value in fields.items() if not isinstance(value, Mapping)}
        for root, fields in names.items()
        if root not in ("steps", "failure") and isinstance(fields, Mapping)
    }
    if error := _error(_map(names, "run")):
        found["run"]["tags"] = {"error": _start(error)}
    deployed = _deployed(names)
    steps = _map(names, "steps").items()
    return {**found, "steps": {step: result for step, result in steps if result is deployed}}


def _start(value: Any) -> Any:
    """The part of a value that `one_line` reads."""
    if isinstance(value, str):
        return value[: 4 * VALUE_LENGTH]
    if isinstance(value, Mapping):
        return {name: _start(inner) for name, inner in value.items()}
    return [_start(one) for one in value[:MOST_ITEMS]] if isinstance(value, list) else value


def _map(names: Mapping[str, Any], root: str) -> Mapping[str, Any]:
    found = names.get(root)
    return found if isinstance(found, Mapping) else {}


def _deployed(names: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of a deployment: the failed one's report, else the last earlier step's result."""
    steps = [*_map(names, "steps").values(), _map(names, "failure")]
    return next((step for step in reversed(steps) if isinstance(step, Mapping) and step.get("endpoint")), {})


def _error(run: Mapping[str, Any]) -> str:
    """The first property or tag of a run whose key speaks of an error: the event has no field for it."""
    pairs = [*_map(run, "properties").items(), *_map(run, "tags").items()]
    return next((str(text) for key, text in pairs if "error" in str(key).lower() and text), "")


def _link(page: str, workspace: str) -> str:
    return f"https://ml.azure.com/{page}?wsid={_quoted(workspace, '/')}"


def _quoted(name: object, safe: str = "") -> str:
    return quote(str(name), safe, errors="replace")
