"""Models whose fields are described by the texts below them, read from the source when a schema needs them.

pydantic's `use_attribute_docstrings` reads the source of each class when it is made: that was a third of the
time in which an app loads its rules.
"""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema


class DescribedModel(BaseModel):
    """The base of such a model; a description in a `Field` comes before the text below it."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler(schema)
        properties = handler.resolve_ref_schema(found).get("properties", {})
        for name, text in describe_model(cls).items():
            field = cls.model_fields.get(name)
            if field and (written := properties.get(field.alias or name)) is not None:
                written.setdefault("description", text)
        return found


@cache
def describe_model(model: type[BaseModel]) -> Mapping[str, str]:
    """The text below each field of a model and of the models above it; none where there is no source."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, DescribedModel) and base is not DescribedModel:
            found |= _read_texts(base)
    return found


def _read_texts(model: type[BaseModel]) -> dict[str, str]:
    try:
        [written] = ast.parse(dedent(inspect.getsource(model))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    body = written.body if isinstance(written, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
