"""Asking the gates that look at Azure: before a response's steps, and again with an endpoint's lease."""

import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext

from mlevents.canonical import canonical_resource_id
from mlevents.gates.gate import Served, gate
from mlevents.gates.order import newer
from mlevents.responses import function_names
from mlevents.responses.carry import Call, StepFailedError, StepStoppedError, begin, carry
from mlevents.responses.newest_version import PASS
from mlevents.responses.response_id import digest


class GateClosedError(StepStoppedError):
    """A gate objects."""

    def __init__(self, gate: str, objection: str) -> None:
        super().__init__(objection)
        self.gate = gate


def before_steps(context: OrchestrationContext, document: Mapping[str, Any]) -> Generator[Any, Any]:
    """Raise GateClosedError when a gate objects; what cannot be read now is left to the rollout."""
    if not document.get("gates"):
        return
    deploying = [step for step in document["steps"] if step["orchestrator"] == function_names.ROLL_OUT_MODEL]
    for step in deploying:
        try:
            yield from at_endpoint(context, begin(document, step))
        except GateClosedError:
            raise
        except StepFailedError:
            continue
    if not deploying:
        yield from _remembered(context, document)


def at_endpoint(context: OrchestrationContext, call: Call) -> Generator[Any, Any]:
    """Raise GateClosedError when a gate objects to this step, by what its endpoint serves now."""
    gates = call["response"].get("gates") or {}
    if gates:
        wanted = {**call, "verb": "standing", "progress": {"tags": "require" in gates}}
        answer = yield from carry(context, wanted)
        if answer["kind"] == "done":
            ask(gates, call["response"]["event"]["names"], answer["result"]["serving"])


def ask(gates: Mapping[str, Any], names: Mapping[str, Any], serving: Sequence[Served]) -> None:
    """Raise GateClosedError with the first objection, if there is one."""
    for name, written in gates.items():
        objection = gate.find(name).model_validate(written).objection(names, serving)
        if objection:
            raise GateClosedError(name, objection)


def _remembered(context: OrchestrationContext, document: Mapping[str, Any]) -> Generator[Any, Any]:
    """Where nothing is deployed, no endpoint tells what is newest: an entity for the key does."""
    gates = dict(document["gates"])
    order = gates.pop("order", None)
    ask(gates, document["event"]["names"], ())
    if order:
        topic = canonical_resource_id(document["event"]["topic"])
        place = json.dumps([document["rule"], topic, order["key"]])
        entity = EntityInstanceId(function_names.NEWEST_VERSION, digest(place))
        newest = yield context.call_entity(entity, PASS, order["by"])
        if newer(newest, order["by"]):
            raise GateClosedError("order", f"{newest} of '{order['key']}' came before, and is newer")
