"""The message templates of a project: the files of `templates/` beside the rules, without their endings.

```jinja
Ticket {{ steps.open_ticket.number }} for {{ model.name }}

{{ model.tags.owner }}, please look at version {{ model.version }}.
```

The first line is the subject. A template may insert the names of the event, `steps`, `failure`, and what the
templates of mlevents insert. It may not include another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from mlevents.registry import suggest_names
from mlevents.services.message_text import is_blank

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

TEMPLATE_VALUES = (
    *("topic", "event_type", "response", "error", "endpoint", "deployed"),
    *(
        "run_link",
        "endpoint_link",
        "drift_link",
        "steps",
        "failure",
        "group",
        "expect",
        "recovered",
        "reason",
    ),
)
"""What templates can insert besides the names of the event."""

TemplateFault = tuple[int, str]
"""A line, counted from 1, and what is wrong there."""

TemplateRoots = Mapping[str, Collection[str]]
"""The fields of each root of the normalised names."""

_active: dict[str, str] = {}


def set_own_templates(texts: Mapping[str, str]) -> None:
    """Make these the project's templates, by name, instead of those before."""
    _active.clear()
    _active.update(texts)


def list_own_templates() -> Mapping[str, str]:
    """The text of each template of the project, by name."""
    return _active


def find_template_faults(
    text: str, environment: Environment, known: TemplateRoots
) -> Iterator[TemplateFault]:
    """What keeps a text from being a template, each with its line; `known` are the names of events."""
    from jinja2 import TemplateSyntaxError, meta, nodes

    if is_blank(text):
        yield 1, "is empty: write the subject in the first line, and the text below it"
        return
    try:
        tree = environment.parse(text)
        environment.compile(tree)
    except TemplateSyntaxError as error:
        yield error.lineno, f"{error.message}: correct the template"
        return
    for found in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        yield found.lineno, "a template cannot use another one: write its text here"
    yield from _find_unknown_names(tree, meta.find_undeclared_variables(tree), known)


def _find_unknown_names(
    tree: nodes.Template, free: set[str], known: TemplateRoots
) -> Iterator[TemplateFault]:
    """The names that no event has: they would be empty in every message."""
    from jinja2 import nodes

    for found in tree.find_all(nodes.Name):
        if found.name in free and found.name not in (*known, *TEMPLATE_VALUES):
            roots = sorted((*known, *TEMPLATE_VALUES))
            yield found.lineno, f"unknown name '{found.name}'{suggest_names(found.name, roots)}"
    for field in tree.find_all(nodes.Getattr):
        root = field.node.name if isinstance(field.node, nodes.Name) else ""
        if root in free and root in known and field.attr not in known[root]:
            remedy = suggest_names(field.attr, sorted(known[root]))
            yield field.lineno, f"unknown name '{root}.{field.attr}'{remedy}"
