"""Leads a response through its gates, before its steps."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext

from mlevents.canonical import canonical_resource_id
from mlevents.gates.gate import gate, gates_at, gates_in_order
from mlevents.gates.order import newer
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import NEWEST_VERSION
from mlevents.orchestration.gating import check_gates, check_target_gates
from mlevents.orchestration.messages import Response
from mlevents.orchestration.step_errors import GateClosedError, StepFailedError
from mlevents.orchestration.step_plan import StepPlan
from mlevents.responses.gate_visit import ResponseVisit
from mlevents.responses.held_response import wait_for_release
from mlevents.responses.newest_version import COMPARE, PASS
from mlevents.responses.operated_response import OperatedResponse
from mlevents.responses.response_id import digest
from mlevents.responses.step_input import begin_call


def pass_gates(record: OperatedResponse) -> Durable[None]:
    """Let the response through its gates in their order; raises GateClosedError when one objects.

    When time has passed at one, those that read what changes check once more, before the response acts.
    When it must not act, those that have let it act take back what they stored, whatever was raised.
    """
    passed: dict[str, ResponseVisit] = {}
    try:
        waited = yield from _visit_gates(record, gates_in_order(), passed)
        while waited:
            yield from record.interruption.check()
            yield from wait_for_release(record)
            again = [name for name, one in gates_in_order().items() if one.rechecked]
            waited = yield from _visit_gates(record, again, passed)
        if passed:
            yield from record.interruption.check()
            yield from record.interruption.run(_pass_newest_version(record.context, record.response))
    except Exception:
        for visit in reversed(passed.values()):
            yield from visit.withdraw()
        raise


def _visit_gates(
    record: OperatedResponse, names: Iterable[str], passed: dict[str, ResponseVisit]
) -> Durable[bool]:
    """Visit those of these gates that the response has; says whether time has passed at one."""
    waited, has_checked_targets = False, False
    for name in names:
        written = record.response.gates.get(name)
        if written is None or name not in gate:
            continue
        own = gate.find(name).model_validate(written)
        if own.stage == "response":
            visit = ResponseVisit(record, name, own)
            try:
                yield from visit.admit()
            finally:
                if not visit.has_objected:  # one that fails may have changed its state before
                    passed[name] = visit
            waited = waited or visit.waited
        elif not has_checked_targets:
            has_checked_targets = True
            yield from record.interruption.run(check_before_steps(record.context, record.response))
    return waited


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
        check_gates(_without_order(response), response.event.names, ())
        # A gate that comes later may stop the response, and then an older version may act.
        visits = gates_at("response", response.gates)
        yield from _ask_newest_version(context, response, COMPARE if visits else PASS)


def _without_order(response: Response) -> dict[str, Any]:
    return {name: one for name, one in gates_at("lease", response.gates).items() if name != "order"}


def _pass_newest_version(context: OrchestrationContext, response: Response) -> Durable[None]:
    """Remember the version of a response that acts now; raises GateClosedError if a newer one has acted."""
    if not any(step.orchestration for step in response.steps):
        yield from _ask_newest_version(context, response, PASS)


def _ask_newest_version(context: OrchestrationContext, response: Response, operation: str) -> Durable[None]:
    """Where no step has a target that tells what is newest, an entity for the key does."""
    order = gates_at("lease", response.gates).get("order")
    if order is None:
        return
    topic = canonical_resource_id(response.event.topic)
    key = digest(json.dumps([response.rule, topic, order["key"]]))
    newest = yield context.call_entity(EntityInstanceId(NEWEST_VERSION, key), operation, order["by"])
    if newer(newest, order["by"]):
        raise GateClosedError("order", f"{newest} of '{order['key']}' came before, and is newer")
