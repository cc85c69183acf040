"""One response for each value of this, instead of one for each event.

```yaml
dedupe: "${drift.monitor_run}"
```

The value is part of the response's id, so a second event with the same value finds the response
there, whenever it comes. `drift.monitor_run` is one for all signals of a monitor's run, each of which has
a run of its own. Name the workspace in it where two workspaces may have the same value.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import RootModel

from mlevents.canonical import join_parts
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, find_roots, render_value
from mlevents.expressions.name_check import find_container_type
from mlevents.gates.gate import AnyGate, Preview, gate
from mlevents.yamlfile.positions import PathProblem

REMEDY = "name one value, such as ${drift.monitor_run}, or write several into one text"


@gate("dedupe")
class Dedupe(RootModel[str], AnyGate):
    """One response for each value of this, instead of one for each event."""

    position = 20
    stage = "delivery"

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:
        kind = find_container_type(written, names)
        if kind in ("map", "list"):
            yield "", f"{written} is a {kind}: {REMEDY}"
        elif fault := constant_fault(written):
            yield "", fault

    def identity(self, names: Mapping[str, Any], /) -> str:
        return identity(render_value(self.root, names))

    def preview(self, event: Event, now: datetime) -> Preview:  # noqa: ARG002 - the time changes nothing
        written = json.dumps(self.root, ensure_ascii=False)
        try:
            value = render_value(self.root, event.names)
            identity(value)
        except ValueError as error:
            return False, f" {written}: {error}: the response fails before its first step"
        return True, f" {json.dumps(value, ensure_ascii=False)}: one response for this value"


def constant_fault(written: object) -> str | None:
    """Why a value can tell no event from another, or None if it can."""
    try:
        constant = isinstance(written, str) and not find_roots(written)
    except ExpressionError:
        return None  # reported where expressions are checked
    if not constant:
        return None
    return f"'{written}' is the same for every event, so only one would ever be acted on: {REMEDY}"


def identity(value: object) -> str:
    """What makes it the same response: the value, and nothing of the event.

    Raises ValueError for a map or a list, which have no one text.
    """
    if isinstance(value, dict | list):
        kind = "a map" if isinstance(value, dict) else "a list"
        raise ValueError(f"the value is {kind}: {REMEDY}")  # noqa: TRY004 - a value, not a type of ours
    return join_parts("dedupe", json.dumps(value, sort_keys=True))
