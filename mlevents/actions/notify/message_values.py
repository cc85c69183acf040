"""The values that a message may show: one line each, without logs and answers.

A container's log and a model's answer can hold anything, also its users' data. Chats get them only when
a rule sets `include_log: true`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlevents.services.message_text import one_line
from mlevents.services.scoring import ANSWER

STUDIOS = ("https://ml.azure.com/", "https://adf.azure.com/", "https://portal.azure.com/")
"""The beginnings of addresses that mlevents itself writes."""
SMOKE_TEST = re.compile(rf"(smoke test of '[^']*': ).*?; it answered: {ANSWER.pattern}")
WRITTEN_OUT = re.compile(r"https://[\w.-]+(?::\d+)?/[\w./~%-]*")
EXPRESSION = re.compile(r"\$\{.*?\}", re.DOTALL)


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


def links_written_out(written: object) -> tuple[str, ...]:
    """Beginnings of the addresses that a rule writes out, outside its expressions, besides our own."""
    text = EXPRESSION.sub(" ", written) if isinstance(written, str) else ""
    return (*STUDIOS, *WRITTEN_OUT.findall(text))


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
