"""The values that a message may show: one line each, without logs and answers.

A container's log and a model's answer can hold anything, also its users' data. Chats get them only when
a rule sets `include_log: true`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlevents.events.studio_links import list_own_links
from mlevents.expressions.interpolation import find_texts
from mlevents.services.message_text import one_line
from mlevents.services.scoring import ANSWER

STUDIOS = ("https://ml.azure.com/", "https://adf.azure.com/")
"""The beginnings of the links in the results of our steps."""
SMOKE_TEST = re.compile(rf"(smoke test of '[^']*': ).*?; it answered: {ANSWER.pattern}")
WRITTEN_OUT = re.compile(r"https://[\w.-]+(?::\d+)?/[\w./~%-]*")
EXPRESSION = re.compile(r"\$\{.*?\}|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
"""What a rule or a template does not write itself."""


def presentable(names: Mapping[str, Any], include_log: bool) -> dict[str, Any]:
    """The names that a message may show, so that no value adds a line to it."""
    shown = {one_line(key): _presentable(value, include_log) for key, value in names.items()}
    if include_log:
        return shown
    if isinstance(shown.get("failure"), dict):
        shown["failure"] = _without_log(shown["failure"])
    if isinstance(shown.get("steps"), dict):
        shown["steps"] = {name: _without_log(step) for name, step in shown["steps"].items()}
    return shown


def list_links(source: object, shown: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses that stay links in a message; an address that is in a value of an event is none of them.

    They are our own, and those that `source`, the rule's text or the project's template, has outside its
    expressions. `shown` is what became of it with these values.
    """
    outside = EXPRESSION.sub(" ", source) if isinstance(source, str) else ""
    texts = list(find_texts(values))
    return (
        *list_own_links(values),
        *_list_result_links(values),
        *(link for start in WRITTEN_OUT.findall(outside) for link in _find_written(start, shown, texts)),
    )


def _find_written(start: str, shown: str, texts: Sequence[str]) -> Iterator[str]:
    """The addresses with this beginning that are in no value; the beginning itself where no value has it."""
    if not any(start in text for text in texts):
        yield start
        return
    found = (one for one in shown.split() if one.startswith(start))
    yield from (one for one in found if not any(one in text for text in texts))


def _list_result_links(values: Mapping[str, Any]) -> Iterator[str]:
    """The page of the response, and those of Studio and Data Factory that earlier steps report."""
    steps = values.get("steps")
    results = steps.values() if isinstance(steps, Mapping) else ()
    pages = [one.get(name) for one in results if isinstance(one, Mapping) for name in ("link", "studio")]
    yield from (page for page in pages if isinstance(page, str) and page.startswith(STUDIOS))
    response = values.get("response")
    if isinstance(response, Mapping) and (link := response.get("link")):
        yield str(link)


def _without_log(step: Any) -> Any:
    if not isinstance(step, dict):
        return step
    lines = step.get("log")
    rest = {name: value for name, value in step.items() if name != "log"}
    return {**rest, "log_lines": len(lines)} if isinstance(lines, list) and lines else rest


def _presentable(value: Any, include_log: bool) -> Any:
    if isinstance(value, str):
        return one_line(value if include_log else _without_answer(value))
    if isinstance(value, Mapping):
        return {one_line(key): _presentable(inner, include_log) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_presentable(inner, include_log) for inner in value]
    return value


def _without_answer(text: str) -> str:
    text = SMOKE_TEST.sub(r"\1the answer is not as it must be", text)
    return ANSWER.sub("(the answer is kept with the response)", text)
