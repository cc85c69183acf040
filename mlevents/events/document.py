"""From what a delivery holds to JSON: text in any encoding habit, bounded, and safe to pass on."""

import json
import re
from collections.abc import Iterator, Mapping
from math import isfinite
from reprlib import repr as shown
from typing import Any, NoReturn

from mlevents.errors import EventError

SIZE_LIMIT = 1024 * 1024
WHERE_LIMIT = 200
_MOST_BYTES = 4
"""Bytes of one character in UTF-8."""
_BLANKS = " \t\n\r"

UNFIT_CHARACTERS = re.compile("[\0\ud800-\udfff]")
"""Characters that no header, name or log can carry."""
_UNFIT_ESCAPES = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""How JSON escapes them; two escaped surrogates can also be one character."""


def text_of(document: str | bytes | Mapping[str, Any]) -> str:
    """The JSON text of a document, without a byte order mark; raises EventError."""
    match document:
        case str():
            return document.removeprefix("\ufeff")
        case bytes() | bytearray():
            return _decoded(bytes(document))
        case Mapping():
            return _encoded(document)
    raise EventError(f"a document must be JSON text or an object, not {shown(document)}")


def value_of(text: str) -> Any:
    """The JSON value of a text; raises EventError, whose `where` is `line:column` in broken JSON."""
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        raise EventError(f"is not valid JSON: {error.msg}", where=f"{error.lineno}:{error.colno}") from error
    except ValueError as error:
        raise EventError("contains a whole number with too many digits") from error
    except RecursionError as error:
        raise EventError("is nested too deeply") from error


def _decode(text: str) -> Any:
    """As `json.loads`, without its two regular expressions for the blanks around the value."""
    value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip(_BLANKS)))
    if rest := text[end:].lstrip(_BLANKS):
        raise json.JSONDecodeError("Extra data", text, len(text) - len(rest))
    return value


def check_size(text: str) -> None:
    """Refuse the text of one event that Event Grid could not have delivered either."""
    if len(text) * _MOST_BYTES <= SIZE_LIMIT:
        return
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > SIZE_LIMIT:
        raise EventError(f"the event is {size:,} bytes of text, the limit is {SIZE_LIMIT:,} bytes")


def check_characters(value: Any, text: str) -> None:
    """Refuse U+0000 and lone surrogates anywhere in an event: no header, name or log can carry them.

    `text` is what `value` was read from. Text that UTF-8 can encode, without such an escape, holds neither.
    """
    if _is_encodable(text) and ("\\" not in text or not _UNFIT_ESCAPES.search(text)):
        return
    for path, string in _strings(value):
        if string.isascii() and "\0" not in string:
            continue
        if unfit := UNFIT_CHARACTERS.search(string):
            raise EventError(
                f"holds U+{ord(unfit[0]):04X}, which headers, names and logs cannot contain: "
                f"remove it where the value is set",
                where=_place(path),
            )


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a surrogate
        return False
    return True


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise EventError(f"byte 0x{byte:02x} at offset {error.start} is not UTF-8") from error


def _encoded(document: Mapping[str, Any]) -> str:
    try:
        return json.dumps(dict(document), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EventError(f"is not JSON: {error}") from error
    except RecursionError as error:
        raise EventError("is nested too deeply") from error


def _refuse_constant(name: str) -> NoReturn:
    raise EventError(f"contains {name}, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise EventError(f"contains the number {shown(digits)}, which is too large")
    return number


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant)

type _Path = tuple[_Path, str | int] | None


def _strings(value: Any) -> Iterator[tuple[_Path, str]]:
    """Every string and every key with its path, linked and not joined: nesting may be deep."""
    pending: list[tuple[_Path, Any]] = [(None, value)]
    while pending:
        path, found = pending.pop()
        if isinstance(found, str):
            yield path, found
        elif isinstance(found, dict):
            for key, member in found.items():
                yield (path, key), key
                pending.append(((path, key), member))
        elif isinstance(found, list):
            pending.extend(((path, index), member) for index, member in enumerate(found))


def _place(path: _Path) -> str:
    place = ""
    while path is not None and len(place) < WHERE_LIMIT:
        path, step = path
        name = f"[{step}]" if isinstance(step, int) else f".{ascii(step)[1:-1]}"
        place = name + place
    return place.removeprefix(".")[-WHERE_LIMIT:]
