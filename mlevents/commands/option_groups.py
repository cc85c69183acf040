"""Options that several commands have: a dataclass declares them once."""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints


def expand_options(function: Callable[..., None]) -> Callable[..., None]:
    """A command's function as typer reads it: a parameter that is a dataclass becomes one option a field.

    Each field is `Annotated` with its option, and has a default.
    """
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    def call(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{one.name: values.pop(one.name) for one in fields(kind)})
        function(**values)

    parameters = []
    for one in inspect.signature(function).parameters.values():
        kind = groups.get(one.name)
        parameters += (
            _read_fields(kind) if kind else [one.replace(annotation=hints[one.name], kind=one.KEYWORD_ONLY)]
        )
    signature = inspect.Signature(parameters)
    annotations = {one.name: one.annotation for one in parameters}
    vars(call).update(__signature__=signature, __doc__=function.__doc__)
    call.__annotations__, call.__name__, call.__module__ = annotations, function.__name__, function.__module__
    call.__doc__ = function.__doc__
    return call


def _read_fields(kind: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name]
        )
        for one in fields(kind)
    ]
