"""A parameter that is the same for every event: what it names is checked when rules load."""

from typing import Any


class FixedText:
    """Marks a parameter that must not contain `${…}`."""

    __slots__ = ()

    def __get_pydantic_json_schema__(self, *_: Any) -> dict[str, Any]:
        return {"type": "string", "not": {"pattern": r"\$\{"}}
