"""Checks the gates for the target of a step, with what it serves now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from durabletask.task import OrchestrationContext

from mlevents.gates.gate import Served, gate, gates_at
from mlevents.orchestration.answer import AnswerKind
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.messages import Call
from mlevents.orchestration.serving_query import ServingQuery, ServingReport
from mlevents.orchestration.step_errors import GateClosedError
from mlevents.orchestration.step_runner import run_step


def check_target_gates(context: OrchestrationContext, call: Call) -> Durable[None]:
    """Raise GateClosedError when a gate objects to this step, by what its target serves now."""
    gates, orchestration = gates_at("lease", call.response.gates), call.step.orchestration
    if not gates or orchestration is None:
        return
    progress = ServingQuery(model_tags=any(gate.find(name).served_tags for name in gates)).to_json()
    answer = yield from run_step(
        context, replace(call, verb=orchestration.serving_verb, progress=progress, notices=())
    )
    if answer.kind is AnswerKind.DONE:
        check_gates(gates, call.response.event.names, ServingReport.from_json(answer.result).serving)


def check_gates(gates: Mapping[str, Json], names: Json, serving: Sequence[Served]) -> None:
    """Raise GateClosedError with the first objection, if there is one."""
    for name, written in gates.items():
        objection = gate.find(name).model_validate(written).objection(names, serving)
        if objection:
            raise GateClosedError(name, objection)
