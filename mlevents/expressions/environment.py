"""The sandbox in which expressions run: closed filters, bounded arithmetic, and missing values."""

from collections.abc import Callable
from typing import Any

from jinja2 import StrictUndefined
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mlevents.conditions.condition import is_finite, quote_value
from mlevents.expressions.filters import FILTERS, join_texts, require_value

type NamePath = tuple[str | int, ...]

JOIN_FILTER = "~"


class MissingValue(StrictUndefined):
    """A value that the event does not have: every use of it fails, with its path."""


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers, and `+` on two texts; results are limited in size."""
        require_value(left), require_value(right)
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return join_texts([left, right])
        if not is_finite(left) or not is_finite(right):
            raise TypeError(f"`{operator}` needs numbers, not {quote_value(left)} and {quote_value(right)}")
        result = super().call_binop(context, operator, left, right)
        if not is_finite(result) or abs(result) > 1e300:
            raise ValueError(f"{quote_value(left)} {operator} {quote_value(right)} is out of range")
        return result


def make_missing(path: NamePath) -> MissingValue:
    """The value of a path that leads to nothing."""
    where = "" if path[0] in ("steps", "group", "failure", "endpoint") else " in this event"
    if path == ("response", "link"):
        where = ", because the address of the app is unknown: set MLEVENTS_ADDRESS"
    return MissingValue(
        hint=f"{format_path(path)} is missing{where}; add `| default(...)` if it may be missing"
    )


def format_path(path: NamePath) -> str:
    """The path as an expression writes it: `model.tags['a.b']`."""
    parts = (f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]" for key in path)
    return "".join(parts).removeprefix(".")


def _strictly(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: call(*map(require_value, values))


ENVIRONMENT = _Environment(undefined=MissingValue, autoescape=False, optimized=False)
ENVIRONMENT.globals = {}
ENVIRONMENT.filters = {name: _strictly(known.call) for name, known in FILTERS.items()} | {
    "default": FILTERS["default"].call,
    JOIN_FILTER: join_texts,
}
