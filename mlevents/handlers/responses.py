"""Registers what completes responses: orchestrators, entities and activities, each by its name."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import azure.durable_functions as df

from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import settings
from mlevents.orchestration import function_names as names
from mlevents.orchestration.endpoint_lease import endpoint_lease
from mlevents.orchestration.instances import find_instances, pass_on_intervention
from mlevents.orchestration.step_orchestrators import load_step_orchestrators
from mlevents.responses.flood import event_flood
from mlevents.responses.flood_report import report_flood
from mlevents.responses.gate_reading import read_for_gate
from mlevents.responses.gate_state import gate_state
from mlevents.responses.hold_release import read_turn, release_next, release_responses
from mlevents.responses.holds import keep_holds
from mlevents.responses.model_tags import model_tags
from mlevents.responses.newest_version import newest_version
from mlevents.responses.recent_events import recent_events
from mlevents.responses.rerun import begin_rerun_orchestrator, restart_response
from mlevents.responses.respond import respond_to_event
from mlevents.responses.step_activity import perform
from mlevents.responses.tag_cursor import tag_cursor
from mlevents.settings import Settings

ORCHESTRATORS: Mapping[str, Callable[..., Any]] = {
    names.RESPOND_TO_EVENT: respond_to_event,
    names.REPORT_FLOOD: report_flood,
    names.BEGIN_RERUN: begin_rerun_orchestrator,
    names.RELEASE_RESPONSES: release_responses,
    **load_step_orchestrators(),
}
ENTITIES: Mapping[str, Callable[..., Any]] = {
    names.EVENT_FLOOD: event_flood,
    names.RECENT_EVENTS: recent_events,
    names.ENDPOINT_LEASE: endpoint_lease,
    names.NEWEST_VERSION: newest_version,
    names.HOLDS: keep_holds,
    names.GATE_STATE: gate_state,
    names.MODEL_TAGS: model_tags,
    names.TAG_CURSOR: tag_cursor,
}
ACTIVITIES: Mapping[str, Callable[[str, Settings], str]] = {
    names.PERFORM_STEP: perform,
    names.READ_FOR_GATE: read_for_gate,
}
"""Those that call services."""
HUB_ACTIVITIES: Mapping[str, Callable[[str, Any], Awaitable[str]]] = {
    names.FIND_INSTANCES: find_instances,
    names.PASS_ON_INTERVENTION: pass_on_intervention,
    names.RESTART_RESPONSE: restart_response,
    names.READ_HOLDS: read_turn,
    names.RELEASE_NEXT: release_next,
}
"""Those that read the task hub."""

blueprint = Blueprint()


def add_activity(name: str, function: Callable[[str, Settings], str]) -> None:
    """Register an activity that gets this process's settings."""

    def activity(text: str) -> str:
        return function(text, settings())

    trigger = blueprint.activity_trigger(input_name="text", activity=name)
    blueprint.function_name(name)(trigger(activity))


def add_hub_activity(name: str, function: Callable[[str, Any], Awaitable[str]]) -> None:
    """Register an activity that gets a client of the task hub."""

    async def activity(text: str, client: df.DurableFunctionsClient) -> str:
        return await function(text, client)

    with_client = blueprint.durable_client_input(client_name="client")
    trigger = blueprint.activity_trigger(input_name="text", activity=name)
    blueprint.function_name(name)(with_client(trigger(activity)))


for name, orchestrator in ORCHESTRATORS.items():
    orchestration_trigger = blueprint.orchestration_trigger(context_name="context", orchestration=name)
    blueprint.function_name(name)(orchestration_trigger(orchestrator))
for name, entity in ENTITIES.items():
    entity_trigger = blueprint.entity_trigger(context_name="context", entity_name=name)
    blueprint.function_name(name)(entity_trigger(entity))
for name, calling in ACTIVITIES.items():
    add_activity(name, calling)
for name, asking in HUB_ACTIVITIES.items():
    add_hub_activity(name, asking)
