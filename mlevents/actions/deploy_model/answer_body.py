"""The JSON that a smoke test expects: paths into the answer, and operators on their values."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.conditions.condition import Condition, operator, quote_value

PATH = re.compile(r"(?:\$\.?)?(?P<parts>(?:\.?[^.\[\]]++|\[[0-9]{1,6}\])*)")
PART = re.compile(r"\.?([^.\[\]]+)|\[([0-9]+)\]")


def path_parts(path: str) -> tuple[str | int, ...]:
    """`predictions[0].score` as keys and indexes; a leading `$.` is allowed. Raises ValueError."""
    found = PATH.fullmatch(path)
    if not found:
        raise ValueError(
            f"'{path}' is not a path into JSON: write keys and indexes, as in predictions[0].score"
        )
    return tuple(int(index) if index else key for key, index in PART.findall(found["parts"]))


def build_conditions(wanted: object) -> tuple[Condition, ...]:
    """The conditions for a value, a list of values or a map of operators; all must hold.

    Raises ValueError for an unknown operator or an invalid operand.
    """
    if isinstance(wanted, Mapping):
        if not wanted:
            raise ValueError("the mapping is empty: write an operator, such as {gte: 0}")
        try:
            return tuple(operator.find(name)(operand) for name, operand in wanted.items())
        except LookupError as error:
            raise ValueError(str(error)) from error
    return (operator.find("in" if isinstance(wanted, list) else "equals")(wanted),)


def find_unexpected_values(answer: object, checks: Mapping[str, Any]) -> Iterator[str]:
    """The differences between an answer's JSON and the expected values, as text."""
    for path, wanted in checks.items():
        value = value_at(answer, path_parts(path))
        if not all(one.holds(value) for one in build_conditions(wanted)):
            yield f"{path or 'the answer'} is {_shown(value)}, not {_wanted(wanted)}"


def value_at(value: Any, parts: tuple[str | int, ...]) -> Any:
    """The value at a path; None if there is none."""
    for part in parts:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _shown(value: Any) -> str:
    return "missing" if value is None else quote_value(value)


def _wanted(wanted: Any) -> str:
    if isinstance(wanted, Mapping):
        return ", ".join(f"{name} {quote_value(operand)}" for name, operand in wanted.items())
    return quote_value(wanted)
