"""The ids of the starts of a step's orchestrator: `first`, then `first.1-2` for the second in attempt 1."""

import re

_SUFFIX = re.compile(r"\.\d+-\d+$")
"""No id of a response or a step ends like this: each part begins with a letter, or is a digest."""


def start_id(first: str, attempt: int, start: int) -> str:
    """The id of this start in this attempt of the response, both counted from 1."""
    return first if (attempt, start) == (1, 1) else f"{first}.{attempt}-{start}"


def is_other_start(one: str, other: str) -> bool:
    """Whether both are starts of the same orchestrator, and not the same start."""
    return one != other and _SUFFIX.sub("", one) == _SUFFIX.sub("", other)
