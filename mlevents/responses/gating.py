"""Asking the gates that look at Azure, before a response's steps."""

import json
from collections.abc import Generator, Mapping
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext

from mlevents.canonical import canonical_resource_id
from mlevents.gates.gate import gates_at
from mlevents.gates.order import newer
from mlevents.orchestration import function_names
from mlevents.orchestration.gating import GateClosedError, ask, at_endpoint
from mlevents.orchestration.step_runner import StepFailedError
from mlevents.responses.newest_version import PASS
from mlevents.responses.response_id import digest
from mlevents.responses.step_input import begin


def before_steps(context: OrchestrationContext, document: Mapping[str, Any]) -> Generator[Any, Any]:
    """Raise GateClosedError when a gate objects; what cannot be read now is left to the rollout."""
    if not document.get("gates"):
        return
    ask(gates_at("steps", document["gates"]), document["event"]["names"], ())
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


def _remembered(context: OrchestrationContext, document: Mapping[str, Any]) -> Generator[Any, Any]:
    """Where nothing is deployed, no endpoint tells what is newest: an entity for the key does."""
    gates = gates_at("lease", document["gates"])
    order = gates.pop("order", None)
    ask(gates, document["event"]["names"], ())
    if order:
        topic = canonical_resource_id(document["event"]["topic"])
        place = json.dumps([document["rule"], topic, order["key"]])
        entity = EntityInstanceId(function_names.NEWEST_VERSION, digest(place))
        newest = yield context.call_entity(entity, PASS, order["by"])
        if newer(newest, order["by"]):
            raise GateClosedError("order", f"{newest} of '{order['key']}' came before, and is newer")
