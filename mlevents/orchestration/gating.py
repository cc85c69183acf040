"""Asking the gates about one endpoint, by what it serves now."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents.gates.gate import Served, gate, gates_at
from mlevents.orchestration.step_runner import Call, StepStoppedError, carry


class GateClosedError(StepStoppedError):
    """A gate objects."""

    def __init__(self, gate: str, objection: str) -> None:
        super().__init__(objection)
        self.gate = gate


def at_endpoint(context: OrchestrationContext, call: Call) -> Generator[Any, Any]:
    """Raise GateClosedError when a gate objects to this step, by what its endpoint serves now."""
    gates = gates_at("lease", call["response"].get("gates") or {})
    if gates:
        tags = any(gate.find(name).served_tags for name in gates)
        wanted = {**call, "verb": "standing", "progress": {"tags": tags}}
        answer = yield from carry(context, wanted)
        if answer["kind"] == "done":
            ask(gates, call["response"]["event"]["names"], answer["result"]["serving"])


def ask(gates: Mapping[str, Any], names: Mapping[str, Any], serving: Sequence[Served]) -> None:
    """Raise GateClosedError with the first objection, if there is one."""
    for name, written in gates.items():
        objection = gate.find(name).model_validate(written).objection(names, serving)
        if objection:
            raise GateClosedError(name, objection)
