"""The page of one response: where it is, what it measured, why it exists, and what can be asked of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.actions.deploy_model.metric_totals import spell_metric, spell_value
from mlevents.api.approval_state import waits_for_approval
from mlevents.console.drawings import TrafficPhase
from mlevents.console.page import PageAnswer, PageError, PageRequest, page
from mlevents.explanations.rule_explanation import describe_line
from mlevents.matching.match_trace import TraceLine
from mlevents.responses.response_view import UNSETTLED

VERBS = {
    "rerun": "RerunResponse",
    "cancel": "CancelResponse",
    "promote": "PromoteRollout",
    "abort": "AbortRollout",
    "replay": "ReplayResponse",
}
"""Each verb with its operation."""


@page("GET responses/{id}")
async def show_response(request: PageRequest) -> PageAnswer:
    """Everything that is known of one response."""
    found: Mapping[str, Any] = await request.call("GetResponse", {"id": request.path["id"]})
    plans = {one["id"]: one for one in (found["plan"] or {}).get("steps", ())}
    done = request.query.get("done")
    return request.show(
        "response.html",
        "responses",
        response=found,
        traffic={step["id"]: list(read_traffic(step.get("phases", ()))) for step in found["steps"]},
        upcoming={step["id"]: list_upcoming(step, plans.get(step["id"], {})) for step in found["steps"]},
        explanation=[describe_line(TraceLine(**line)) for line in found["explanation"]],
        event_text=to_json_text(found["event"]),
        results_text=to_json_text(found["results"]) if found["results"] else "",
        verbs=list_verbs(found),
        is_asking=waits_for_approval(found["status"], found["because"]),
        spell_metric=spell_metric,
        spell_value=spell_value,
        notices=[("good", f"Done: {done}.")] if done in VERBS else (),
    )


@page("POST responses/{id}/{verb}")
async def ask_of_response(request: PageRequest) -> PageAnswer:
    """Ask something of the response, and show it again."""
    response_id, verb = request.path["id"], request.path["verb"]
    if verb not in VERBS:
        raise PageError(404, f"There is no verb '{verb:.100}'.")
    body = {name: text for name in ("reason", "from") if (text := request.read_field(name))}
    await request.call(VERBS[verb], {"id": response_id}, body=body)
    return request.lead("responses", response_id, done=verb)


def list_verbs(found: Mapping[str, Any]) -> list[str]:
    """What can be asked of the response now."""
    if found["status"] not in UNSETTLED:
        return ["rerun"] if found["rule"] else ["replay"] if found["status"] == "quarantined" else []
    rollout = any(step["status"] == "running" and step.get("phases") for step in found["steps"])
    if not rollout:
        return ["cancel"]
    is_asking = waits_for_approval(found["status"], found["because"])
    return ["abort", "cancel"] if is_asking else ["promote", "abort", "cancel"]


def read_traffic(phases: Any) -> Iterator[TrafficPhase]:
    """The phases in which something served."""
    for phase in phases:
        if phase.get("traffic"):
            yield TrafficPhase(phase["phase"], phase["seconds"], phase["traffic"])


def list_upcoming(step: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    """The phases of a rollout that are still to come; a first deployment takes all traffic at once."""
    rollout = plan.get("with", {}).get("rollout")
    phases = step.get("phases", ())
    if step["status"] not in UNSETTLED or not isinstance(rollout, dict):
        return []
    names = ["endpoint", "deployment"]
    names += ["smoke test"] if rollout.get("smoke_test") is not None else []
    is_first = len(phases) > 1 and not any(phase.get("traffic") for phase in phases)
    shares = (
        [] if is_first else [one.get("percent") for one in rollout.get("steps", ()) if isinstance(one, dict)]
    )
    names += [f"{share} %" for share in shares if share is not None and share != 100]
    names += ["100 %", "retired"]
    seen = {phase["phase"] for phase in phases}
    last = max((names.index(name) for name in seen if name in names), default=-1)
    return [name for name in names[last + 1 :] if name not in seen]


def to_json_text(document: Any) -> str:
    """A document for people."""
    return json.dumps(document, indent=2, ensure_ascii=False)
