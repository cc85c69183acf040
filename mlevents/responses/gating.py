"""Checks the gates that read from Azure, before the steps of a response."""

import json
from collections.abc import Sequence

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext

from mlevents.canonical import canonical_resource_id
from mlevents.gates.gate import gates_at
from mlevents.gates.order import newer
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import NEWEST_VERSION
from mlevents.orchestration.gating import check_gates, check_target_gates
from mlevents.orchestration.messages import Response
from mlevents.orchestration.step_errors import GateClosedError, StepFailedError
from mlevents.orchestration.step_plan import StepPlan
from mlevents.responses.newest_version import PASS
from mlevents.responses.response_id import digest
from mlevents.responses.step_input import begin_call


def check_before_steps(context: OrchestrationContext, response: Response) -> Durable[None]:
    """Raise GateClosedError when a gate objects.

    A target that cannot be read now is checked again by its step's orchestrator.
    """
    if not response.gates:
        return
    check_gates(gates_at("steps", response.gates), response.event.names, ())
    orchestrated: Sequence[StepPlan] = [step for step in response.steps if step.orchestration]
    for step in orchestrated:
        try:
            yield from check_target_gates(context, begin_call(response, step))
        except GateClosedError:
            raise
        except StepFailedError:
            continue
    if not orchestrated:
        yield from _check_newest_version(context, response)


def _check_newest_version(context: OrchestrationContext, response: Response) -> Durable[None]:
    """Where no step has a target that tells what is newest, an entity for the key does."""
    gates = gates_at("lease", response.gates)
    order = gates.pop("order", None)
    check_gates(gates, response.event.names, ())
    if order:
        topic = canonical_resource_id(response.event.topic)
        key = digest(json.dumps([response.rule, topic, order["key"]]))
        newest = yield context.call_entity(EntityInstanceId(NEWEST_VERSION, key), PASS, order["by"])
        if newer(newest, order["by"]):
            raise GateClosedError("order", f"{newest} of '{order['key']}' came before, and is newer")
