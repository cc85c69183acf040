"""Registers what completes responses: orchestrators, entities and activities, each by its name and place."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import azure.durable_functions as df

from mlevents.handlers.app_state import settings
from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.late_function import late_function
from mlevents.orchestration import function_names as names
from mlevents.orchestration.step_orchestrators import find_step_orchestrators
from mlevents.settings import Settings

ORCHESTRATION, RESPONSES = "mlevents.orchestration", "mlevents.responses"

ORCHESTRATORS: Mapping[str, str] = {
    names.RESPOND_TO_EVENT: f"{RESPONSES}.respond:respond_to_event",
    names.REPORT_FLOOD: f"{RESPONSES}.flood_report:report_flood",
    names.BEGIN_RERUN: f"{RESPONSES}.rerun:begin_rerun_orchestrator",
    names.RELEASE_RESPONSES: f"{RESPONSES}.hold_release:release_responses",
    **find_step_orchestrators(),
}
ENTITIES: Mapping[str, str] = {
    names.EVENT_FLOOD: f"{RESPONSES}.flood:event_flood",
    names.RECENT_EVENTS: f"{RESPONSES}.recent_events:recent_events",
    names.ENDPOINT_LEASE: f"{ORCHESTRATION}.endpoint_lease:endpoint_lease",
    names.NEWEST_VERSION: f"{RESPONSES}.newest_version:newest_version",
    names.HOLDS: f"{RESPONSES}.holds:keep_holds",
    names.GATE_STATE: f"{RESPONSES}.gate_state:gate_state",
    names.MODEL_TAGS: f"{RESPONSES}.model_tags:model_tags",
    names.TAG_CURSOR: f"{RESPONSES}.tag_cursor:tag_cursor",
}
STEP_ACTIVITIES: Mapping[str, str] = {names.PERFORM_STEP: f"{RESPONSES}.step_activity:perform"}
"""Those that call services, and read the task hub."""
ACTIVITIES: Mapping[str, str] = {
    names.READ_FOR_GATE: f"{RESPONSES}.gate_reading:read_for_gate",
}
"""Those that call services."""
HUB_ACTIVITIES: Mapping[str, str] = {
    names.FIND_INSTANCES: f"{ORCHESTRATION}.instances:find_instances",
    names.PASS_ON_INTERVENTION: f"{ORCHESTRATION}.instances:pass_on_intervention",
    names.RESTART_RESPONSE: f"{RESPONSES}.rerun:restart_response",
    names.READ_HOLDS: f"{RESPONSES}.hold_release:read_turn",
    names.RELEASE_NEXT: f"{RESPONSES}.hold_release:release_next",
}
"""Those that read the task hub."""

blueprint = Blueprint()


def add_activity(name: str, function: Callable[[str, Settings], str]) -> None:
    """Register an activity that gets this process's settings."""

    def activity(text: str) -> str:
        return function(text, settings())

    trigger = blueprint.activity_trigger(input_name="text", activity=name)
    blueprint.function_name(name)(trigger(activity))


def add_step_activity(name: str, function: Callable[[str, Settings, Any], str]) -> None:
    """Register an activity that calls services, and gets a client of the task hub too."""

    def activity(text: str, client: df.SyncDurableFunctionsClient) -> str:
        return function(text, settings(), client)

    with_client = blueprint.durable_client_input(client_name="client")
    trigger = blueprint.activity_trigger(input_name="text", activity=name)
    blueprint.function_name(name)(with_client(trigger(activity)))


def add_hub_activity(name: str, function: Callable[[str, Any], Awaitable[str]]) -> None:
    """Register an activity that gets a client of the task hub."""

    async def activity(text: str, client: df.DurableFunctionsClient) -> str:
        return await function(text, client)

    with_client = blueprint.durable_client_input(client_name="client")
    trigger = blueprint.activity_trigger(input_name="text", activity=name)
    blueprint.function_name(name)(with_client(trigger(activity)))


for name, place in ORCHESTRATORS.items():
    orchestration_trigger = blueprint.orchestration_trigger(context_name="context", orchestration=name)
    blueprint.function_name(name)(orchestration_trigger(late_function(place)))
for name, place in ENTITIES.items():
    entity_trigger = blueprint.entity_trigger(context_name="context", entity_name=name)
    blueprint.function_name(name)(entity_trigger(late_function(place)))
for name, place in STEP_ACTIVITIES.items():
    add_step_activity(name, late_function(place))
for name, place in ACTIVITIES.items():
    add_activity(name, late_function(place))
for name, place in HUB_ACTIVITIES.items():
    add_hub_activity(name, late_function(place))
