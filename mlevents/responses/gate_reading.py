"""The activity ReadForGate: what a gate reads from Azure for a response."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from mlevents.errors import PermanentError
from mlevents.gates.gate import gate
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.json_message import Json, JsonMessage
from mlevents.orchestration.messages import Response
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.size_limits import cut_answer
from mlevents.responses.step_activity import REMOVED_REMEDY, catch_errors
from mlevents.services.services import Services
from mlevents.settings import Settings


@dataclass(frozen=True, slots=True)
class GateQuery(JsonMessage):
    """What a gate of a response asks: `document` is the gate's own."""

    response: Response
    gate: str
    document: Json

    parts: ClassVar[dict[str, Callable[[Any], Any]]] = {"response": Response.from_json}


def read_for_gate(text: str, settings: Settings) -> str:
    """The answer to a query, from JSON text to JSON text; `result` is what the gate has read."""
    query = GateQuery.from_json(json.loads(text))
    name = f"response {query.response.id} gate {query.gate}"
    answer = catch_errors(name, lambda: _read(query, settings))
    # A result that is cut would change what the gate decides. An event has at most 1 MB, and so has this.
    return to_text(replace(cut_answer(replace(answer, result={})), result=answer.result).to_json())


def _read(query: GateQuery, settings: Settings) -> Answer:
    response = query.response
    if query.gate not in gate:
        raise PermanentError(f"unknown gate '{query.gate}': {REMOVED_REMEDY}")
    own = gate.find(query.gate).model_validate(response.gates[query.gate])
    services = Services(settings, response.connections, response.files)
    found = own.read(response.event.names, query.document, services)
    return Answer(AnswerKind.DONE, "", result=dict(found))
