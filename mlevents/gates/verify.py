"""Read the model or the run again from Azure ML just before the response acts, and match `where` again.

```yaml
verify: [model]
```

An event may be a day old, and a response may have waited longer still. What is read replaces the event's
values for the later gates and the steps. When a later gate has waited, it is read once more.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, RootModel, WithJsonSchema

from mlevents.conditions.condition import quote_value
from mlevents.events import Event
from mlevents.gates.gate import AnyGate, Preview, gate
from mlevents.gates.visit import GateVisit, Objection, Visiting
from mlevents.gates.written_rule import WrittenRule
from mlevents.matching.condition_tree import FailedCondition
from mlevents.services.permission import (
    ML,
    MODEL_READS,
    READER,
    WORKSPACE_SCOPE,
    Permission,
    actions_below,
)
from mlevents.yamlfile.positions import PathProblem

if TYPE_CHECKING:
    from datetime import datetime

    from mlevents.services.machine_learning.workspace_client import MachineLearning
    from mlevents.services.services import Services

EventSubject = Literal["model", "run"]
ROOTS: Mapping[EventSubject, tuple[str, ...]] = {"model": ("model",), "run": ("run", "drift")}
"""The names of an event that come from a model, and from a run."""
_SUBJECT = {"type": "string", "enum": list(ROOTS)}
RUN_READS = actions_below(ML, "read", "experiments/read", "experiments/runs/read")


@gate("verify")
class Verify(RootModel[list[EventSubject]], AnyGate):
    """Read the model or the run again just before acting; the response stops if `where` no longer holds."""

    position = 30
    stage = "response"
    rechecked = True
    matches_again = True
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(WORKSPACE_SCOPE, READER, MODEL_READS, ("model",)),
        Permission(WORKSPACE_SCOPE, READER, RUN_READS, ("run",)),
    )

    root: Annotated[
        list[EventSubject],
        BeforeValidator(lambda written: [written] if isinstance(written, str) else written),
        WithJsonSchema({"anyOf": [_SUBJECT, {"type": "array", "items": _SUBJECT, "minItems": 1}]}),
    ] = Field(min_length=1)

    @property
    def permission_parameters(self) -> dict[str, Any]:
        return dict.fromkeys(self.root, True)

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:
        subjects = written if isinstance(written, list) else [written]
        for index, subject in enumerate(subjects):
            place = f"[{index}]" if isinstance(written, list) else ""
            if isinstance(subject, str) and subject in ROOTS and subject not in names:
                known = " and ".join(one for one in ROOTS if one in names) or "neither a model nor a run"
                yield place, f"the events of this rule have no {subject}: they have {known}"
            elif subject in subjects[:index]:
                yield place, f"'{subject}' is listed twice: remove one"

    def preview(self, event: Event, now: "datetime") -> Preview:  # noqa: ARG002 - the time changes nothing
        return None, f" {json.dumps(self.root)}: read again from Azure ML when the response runs"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        rule = visit.written_rule
        if rule is None or not any(subject in visit.event.names for subject in self.root):
            visit.record("the event names nothing to read again")
            return None
        event = {key: value for key, value in visit.event.to_json().items() if key != "names"}
        found = yield from visit.read({"event": event, "rule": rule.to_json()})
        if objection := found.get("objection"):
            return Objection(objection)
        changed = [name for name, value in found["names"].items() if value != visit.event.names.get(name)]
        visit.record(
            f"read again: {', '.join(changed)} changed" if changed else "read again: nothing changed"
        )
        visit.give_names(found["names"])
        visit.give_gates(found["gates"])
        return None

    def read(
        self, names: Mapping[str, Any], document: Mapping[str, Any], services: "Services", /
    ) -> Mapping[str, Any]:
        from mlevents.event_history.refreshed_event import GoneError

        event = Event.from_json({**document["event"], "names": names})
        rule = WrittenRule.from_json(document["rule"])
        try:
            event = self._refresh(event, services.machine_learning(event.topic))
        except GoneError as error:
            return {"objection": str(error)}
        if failed := rule.find_failure(event):
            return {"objection": describe_failure(failed)}
        roots = {root for subject in self.root for root in ROOTS[subject]}
        fresh = {root: value for root, value in event.names.items() if root in roots}
        return {"names": fresh, "gates": _fill_gates(rule.gates, event.names)}

    def _refresh(self, event: Event, workspace: "MachineLearning") -> Event:
        """The event with what is read now of each subject that it has."""
        from mlevents.event_history.refreshed_event import refresh_model, refresh_run

        if "model" in self.root and "model" in event.names:
            event = refresh_model(event, workspace.models)
        if "run" in self.root and "run" in event.names:
            event = refresh_run(event, workspace.runs)
        return event


def describe_failure(failed: FailedCondition) -> str:
    """The condition that does not hold any more, with what was found and what is wanted."""
    found = "absent" if failed.found is None else _describe(failed.found)
    return f"{failed.path.removeprefix('where.')} is {found} now, wanted {_describe_wanted(failed.wanted)}"


def _fill_gates(written: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: values for name, values in written.items() if name in gate}
    return {name: gate.find(name).model_validate(values).fill(names) for name, values in known.items()}


def _describe_wanted(wanted: Any) -> str:
    if isinstance(wanted, list):
        return f"one of {', '.join(map(_describe, wanted))}"
    if not isinstance(wanted, Mapping):
        return _describe(wanted)
    return " and ".join(
        name if value is True else f"{name} {_describe(value)}" for name, value in wanted.items()
    )


def _describe(value: Any) -> str:
    is_container = isinstance(value, Mapping | list)
    return json.dumps(value, ensure_ascii=False) if is_container else quote_value(value)
