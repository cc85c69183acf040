"""The values that a message may show: one line each, without logs and answers.

A container's log and a model's answer can hold anything, also its users' data. Chats get them only when
a rule sets `include_log: true`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlevents.message_templates.own_templates import list_own_templates
from mlevents.services.console_links import list_console_links
from mlevents.services.message_text import one_line
from mlevents.services.scoring import ANSWER
from mlevents.settings import Settings

STUDIOS = ("https://ml.azure.com/", "https://adf.azure.com/")
"""The beginnings of addresses that mlevents itself writes, besides its console."""
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


def list_links(template: str | None, written: object, settings: Settings) -> tuple[str, ...]:
    """Beginnings of the addresses that stay links in a message.

    They are our own, and those that the rule's text or the project's template has outside its expressions.
    """
    source = list_own_templates().get(template, "") if template else written
    text = EXPRESSION.sub(" ", source) if isinstance(source, str) else ""
    return (*STUDIOS, *list_console_links(settings), *WRITTEN_OUT.findall(text))


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
