"""The size limits of texts and documents that are stored with a response.

Durable Functions counts JSON text in UTF-16, and the durable library writes JSON in ASCII: `ü` is the six
characters `\\u00fc`, an emoji is twelve. So lengths here are *units*, characters of that JSON text; a unit is
two bytes of UTF-16.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlevents.orchestration.answer import Answer, AnswerKind

ELLIPSIS = "…"
ELLIPSIS_UNITS = 6
DIGEST_DIGITS = 12
CUSTOM_STATUS_UNITS = 8000
"""Durable Functions takes a custom status of 16 KB of JSON in UTF-16."""
RESULT_UNITS = REPORT_UNITS = 32_000
"""What a step leaves for the steps after it, and what one that failed reports besides its message."""
PROGRESS_UNITS = 64_000
"""What a step that is not done yet takes to its next attempt."""
DETAIL_UNITS = 2000
TEXTS = (4000, 1000, 300, 100)
ITEMS = (200, 100, 40, 10)
"""How long a text and a list may be in a document that is cut: the first pair with which all of it fits."""


def json_units(document: Any) -> int:
    """The length of a document as the durable library writes it."""
    return len(json.dumps(document))


def cut_text(text: str, units: int) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis."""
    used = fitting = 0
    for index, character in enumerate(text, start=1):
        used += _units(character)
        if used <= units - ELLIPSIS_UNITS:
            fitting = index
        if used > units:
            return f"{text[:fitting]}{ELLIPSIS}" if units >= ELLIPSIS_UNITS else ""
    return text


def cut_name(text: str, units: int) -> str:
    """The text, or its beginning and a digest of all of it: two different texts stay different.

    The same text always gives the same name, so that a name that was cut can be looked for.
    """
    if len(text) <= units and sum(map(_units, text)) <= units:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_DIGITS]
    return f"{cut_text(text, units - DIGEST_DIGITS)}{digest}"


def cut_document(document: Mapping[str, Any], units: int) -> dict[str, Any]:
    """The document, or one of the same shape with long texts and lists cut until it fits.

    A list keeps its end. Where nothing helps, only a line that says so is left.
    """
    if json_units(document) <= units:
        return dict(document)
    for longest, most in zip(TEXTS, ITEMS, strict=True):
        found: dict[str, Any] = _cut(document, longest, most)
        if json_units(found) <= units:
            return found
    return {"omitted": f"{json_units(document)} characters of JSON, more than the limit of {units}"}


def cut_answer(answer: Answer) -> Answer:
    """The answer of an activity, its detail and result cut where they are too long; then it says so.

    Progress keeps its lists complete, for an attempt that knows half of it would repeat the other half:
    where shorter texts do not help, the step fails.
    """
    detail, progress, result = cut_text(answer.detail, DETAIL_UNITS), answer.progress, answer.result
    if json_units(progress) > PROGRESS_UNITS:
        progress = _cut(progress, TEXTS[0], sys.maxsize)
        if (units := json_units(progress)) > PROGRESS_UNITS:
            fact = f"its progress comes to {units:,} characters, more than the limit of {PROGRESS_UNITS:,}"
            return Answer(AnswerKind.FAILED, f"{fact}: {cut_text(detail, TEXTS[2])}")
    if json_units(result) > RESULT_UNITS:
        result = cut_document(result, RESULT_UNITS)
        detail += f" (its result is cut to {RESULT_UNITS:,} characters)"
    return replace(answer, detail=detail, progress=progress, result=result)


def _cut(value: Any, longest: int, most: int) -> Any:
    if isinstance(value, str):
        return cut_text(value, longest)
    if isinstance(value, Mapping):
        return {cut_name(str(key), longest): _cut(inner, longest, most) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(inner, longest, most) for inner in value[-most:]]
    return value


def _units(character: str) -> int:
    """How many characters of JSON in ASCII this one takes."""
    if character in '"\\\n\r\t\f\b':
        return 2
    if " " <= character <= "~":
        return 1
    return 6 if character <= "\uffff" else 12
