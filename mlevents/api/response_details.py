"""One response with all that is stored of it."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from durabletask.client import OrchestrationState

from mlevents.api.studio_links import StudioLink, find_links
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.messages import Response
from mlevents.responses.gate_record import WAITING, GateRecord
from mlevents.responses.hub_state import input_of, output_of, status_of
from mlevents.responses.rerun import describe_attempt
from mlevents.responses.response_view import UNSETTLED, ResponseView


@dataclass(frozen=True, slots=True)
class StepIntent:
    """One step as the rule writes it, with its `${…}`; `timeout` is in seconds."""

    id: str
    uses: str
    with_: dict[str, Any]
    if_: str | bool | None
    timeout: float | None

    def to_json(self) -> dict[str, Any]:
        """The step, with the names of the rule file."""
        return {name.rstrip("_"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What was decided when the event came: steps, and the gates that look at Azure, with their values."""

    steps: list[dict[str, Any]]
    on_failure: list[dict[str, Any]]
    gates: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TraceView:
    """One line of the tree of a rule's conditions; a heading has no `holds`."""

    depth: int
    name: str
    holds: bool | None = None
    wanted: Any = None
    found: Any = None


@dataclass(frozen=True, slots=True)
class GateView:
    """What a gate said: `status` is passed, waiting, stopped or failed; a wait ends at `until`."""

    gate: str
    status: str
    detail: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseDetails(ResponseView):
    """One response alone.

    `event` is complete. `explanation` are the conditions of its rule with the values found in the event.
    `results` is what each step left for later ones, known at the end; `reports` what one that failed says
    besides its detail; `log` what operators asked of the response. `raw` is the text of an event that could
    not be understood. `duration` is in seconds, up to now if it has not ended. `attempts`
    are all of them with their outcomes, the latest last. `gates` are those that looked while it ran.
    """

    plan: ResponsePlan | None = None
    explanation: tuple[TraceView, ...] = ()
    results: Json | None = None
    reports: Json | None = None
    log: tuple[Intervention, ...] = ()
    links: tuple[StudioLink, ...] = ()
    duration: float = 0.0
    attempts: tuple[Json, ...] = ()
    raw: str | None = None
    gates: tuple[GateView, ...] = ()


def describe_details(
    state: OrchestrationState, view: ResponseView, now: datetime, tenant: str = ""
) -> dict[str, Any]:
    """The details as JSON; `tenant` is the one of the workspace, for links, if it is known."""
    stored, output = input_of(state), output_of(state)
    event = {**view.event.to_json(), **stored.get("event", {})}
    results, reports = output.get("results", {}), output.get("reports", {})
    details = {
        "event": event,
        "plan": _plan(stored),
        "explanation": list(stored.get("explanation", ())),
        "results": results,
        "reports": reports,
        "log": output.get("log") or status_of(state).get("log") or list(stored.get("log", ())),
        "links": [
            link.to_json()
            for link in find_links(
                str(event.get("topic") or ""), event.get("names") or {}, {**reports, **results}, tenant
            )
        ],
        "duration": _duration(state, view, now),
        "attempt": view.attempt,
        "attempts": [*stored.get("past", ()), describe_attempt(state)],
        "raw": stored.get("raw"),
        "gates": list(view_gates(output.get("gates") or status_of(state).get("gates") or ())),
    }
    return view.to_json() | details


def view_gates(stored: Iterable[Json]) -> Iterator[dict[str, Any]]:
    """What each gate said, without what it keeps for itself."""
    for one in stored:
        said = GateRecord.from_json(one)
        until = said.until if said.status == WAITING else None
        yield asdict(GateView(said.gate, said.status, said.detail, until))


def _plan(stored: Json) -> dict[str, Any] | None:
    """The plan in an input; None where it has another form."""
    try:
        response = Response.from_json(stored)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    names = [one.name for one in fields(StepIntent)]
    steps, on_failure = (
        [StepIntent(**{name: getattr(step, name) for name in names}).to_json() for step in several]
        for several in (response.steps, response.on_failure)
    )
    return asdict(ResponsePlan(steps, on_failure, dict(response.gates)))


def _duration(state: OrchestrationState, view: ResponseView, now: datetime) -> float:
    end = now if view.status in UNSETTLED else state.last_updated_at.replace(tzinfo=UTC)
    return round(max(0.0, (end - state.created_at.replace(tzinfo=UTC)).total_seconds()), 3)
