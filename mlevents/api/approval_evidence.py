"""The evidence for an approval: the model against what serves now, and the checks so far."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlevents.api.operation import AppState
from mlevents.conditions.condition import as_number
from mlevents.errors import ConfigError
from mlevents.gates.gate import Served
from mlevents.orchestration.answer import AnswerKind
from mlevents.orchestration.messages import Call, Response
from mlevents.orchestration.serving_query import ServingQuery, ServingReport
from mlevents.responses.step_activity import attempt_call
from mlevents.responses.step_input import begin_call

_MOST_TAGS = 60


@dataclass(frozen=True, slots=True)
class TagComparison:
    """A tag of the new model and of the champion; `difference` where both are numbers."""

    tag: str
    model: str | None
    champion: str | None
    difference: float | None = None


@dataclass(frozen=True, slots=True)
class ModelEvidence:
    """The new model and the champion, which has most of the traffic now; `note` says why there is none."""

    model: str | None
    champion: str | None
    note: str
    tags: list[TagComparison]


async def gather_evidence(response: Response, app: AppState) -> ModelEvidence:
    """The event's model against what its endpoint serves now, with the tags that both have now."""
    model = response.event.names.get("model") or {}
    name = f"{model['name']}:{model.get('version')}" if model.get("name") else None
    serving, note = await _read_serving(response, app)
    champion = serving[0] if serving else None
    tags = compare_tags(model.get("tags") or {}, champion.tags if champion else {})
    serves = f"{champion.model}:{champion.version}" if champion else None
    return ModelEvidence(name, serves, note, tags)


def compare_tags(mine: Mapping[str, Any], others: Mapping[str, Any]) -> list[TagComparison]:
    """Every tag of both, those that are numbers first."""
    found = []
    for tag in [*mine, *(tag for tag in others if tag not in mine)]:
        one, other = mine.get(tag), others.get(tag)
        numbers = as_number(one), as_number(other)
        difference = None if None in numbers else float(numbers[0] or 0) - float(numbers[1] or 0)
        found.append(TagComparison(tag, _text(one), _text(other), difference))
    return sorted(found, key=lambda row: as_number(row.model) is None)[:_MOST_TAGS]


async def _read_serving(response: Response, app: AppState) -> tuple[Sequence[Served], str]:
    """What serves where the first step deploys, the most traffic first; and why that is not known."""
    step = next((one for one in response.steps if one.orchestration), None)
    if step is None or step.orchestration is None:
        return (), "no step of this rule deploys a model"
    query = ServingQuery(model_tags=True).to_json()
    call = begin_call(response, step)
    call = replace(call, verb=step.orchestration.serving_verb, progress=query, notices=())
    return await asyncio.to_thread(_ask_serving, call, app)


def _ask_serving(call: Call, app: AppState) -> tuple[Sequence[Served], str]:
    try:
        answer = attempt_call(call, app.settings())
    except ConfigError as error:
        return (), f"what serves cannot be read: {error}"
    if answer.kind is not AnswerKind.DONE:
        return (), f"what serves cannot be read: {answer.detail}"
    serving = ServingReport.from_json(answer.result).serving
    return serving, "" if serving else "no model serves there yet"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
