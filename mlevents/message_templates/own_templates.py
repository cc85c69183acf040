"""The message templates of a project: the files of `templates/` beside the rules, without their endings.

```jinja
Ticket {{ steps.open_ticket.number }} for {{ model.name }}

{{ model.tags.owner }}, please look at version {{ model.version }}.
```

The first line is the subject. A template may insert the names of the event with their links, `steps`,
`failure`, `response`, and what gates give. It may not include another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from mlevents.registry import suggest_names
from mlevents.services.message_text import is_blank

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

TemplateFault = tuple[int, str]
"""A line, counted from 1, and what is wrong there."""

TemplateRoots = Mapping[str, Collection[str] | None]
"""The names that a template can insert: the fields of each, None where they are not known."""

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
    """What keeps a text from being a template, each with its line; `known` is what it can insert."""
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
    """The names that are in no message: they would always be empty."""
    from jinja2 import nodes

    for name in tree.find_all(nodes.Name):
        if name.name in free and name.name not in known:
            yield name.lineno, f"unknown name '{name.name}'{suggest_names(name.name, sorted(known))}"
    for root, field, line in _list_fields(tree):
        fields = known.get(root) if root in free else None
        if fields is not None and field not in fields:
            yield line, f"unknown name '{root}.{field}'{suggest_names(field, sorted(fields))}"
    for root, line in _list_inserted_roots(tree):
        if root in free and (fields := known.get(root)):
            yield line, f"'{root}' is a map: write {root}.{min(fields)}"


def _list_fields(tree: nodes.Template) -> Iterator[tuple[str, str, int]]:
    """Each `root.field` or `root['field']` of a template, with its line."""
    from jinja2 import nodes

    for one in tree.find_all(nodes.Getattr):
        if isinstance(one.node, nodes.Name):
            yield one.node.name, one.attr, one.lineno
    for other in tree.find_all(nodes.Getitem):
        if isinstance(other.node, nodes.Name) and isinstance(other.arg, nodes.Const):
            yield other.node.name, str(other.arg.value), other.lineno


def _list_inserted_roots(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Each name that is inserted by itself, with its line."""
    from jinja2 import nodes

    for output in tree.find_all(nodes.Output):
        for one in output.nodes:
            if isinstance(one, nodes.Name):
                yield one.name, one.lineno
