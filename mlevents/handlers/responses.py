"""Registers what completes responses: orchestrators, entities and activities."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
from durabletask.entities import EntityContext
from durabletask.task import OrchestrationContext

from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import settings
from mlevents.orchestration import endpoint_lease, function_names, instances
from mlevents.orchestration.step_orchestrators import load_step_orchestrators
from mlevents.responses import (
    flood,
    flood_report,
    hold_release,
    holds,
    newest_version,
    recent_events,
    rerun,
    respond,
    step_activity,
)

blueprint = Blueprint()


@blueprint.function_name(function_names.RESPOND_TO_EVENT)
@blueprint.orchestration_trigger(context_name="context", orchestration=function_names.RESPOND_TO_EVENT)
def orchestrate_response(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.respond`."""
    return (yield from respond.respond_to_event(context, text))


for orchestrator_name, orchestrator in load_step_orchestrators().items():
    trigger = blueprint.orchestration_trigger(context_name="context", orchestration=orchestrator_name)
    blueprint.function_name(orchestrator_name)(trigger(orchestrator))


@blueprint.function_name(function_names.REPORT_FLOOD)
@blueprint.orchestration_trigger(context_name="context", orchestration=function_names.REPORT_FLOOD)
def orchestrate_flood_report(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.flood_report`."""
    return (yield from flood_report.report_flood(context, text))


@blueprint.function_name(function_names.EVENT_FLOOD)
@blueprint.entity_trigger(context_name="context", entity_name=function_names.EVENT_FLOOD)
def count_event(context: EntityContext, mark: Any) -> int | None:
    """See `mlevents.responses.flood`."""
    return flood.event_flood(context, mark)


@blueprint.function_name(function_names.RECENT_EVENTS)
@blueprint.entity_trigger(context_name="context", entity_name=function_names.RECENT_EVENTS)
def keep_recent_events(context: EntityContext, text: Any) -> None:
    """See `mlevents.responses.recent_events`."""
    recent_events.recent_events(context, text)


@blueprint.function_name(function_names.ENDPOINT_LEASE)
@blueprint.entity_trigger(context_name="context", entity_name=function_names.ENDPOINT_LEASE)
def hold_endpoint(context: EntityContext, text: Any) -> str:
    """See `mlevents.orchestration.endpoint_lease`."""
    return endpoint_lease.endpoint_lease(context, text)


@blueprint.function_name(function_names.NEWEST_VERSION)
@blueprint.entity_trigger(context_name="context", entity_name=function_names.NEWEST_VERSION)
def remember_version(context: EntityContext, document: Any) -> str:
    """See `mlevents.responses.newest_version`."""
    return newest_version.newest_version(context, document)


@blueprint.function_name(function_names.PERFORM_STEP)
@blueprint.activity_trigger(input_name="text", activity=function_names.PERFORM_STEP)
def run_step_activity(text: str) -> str:
    """See `mlevents.responses.step_activity`."""
    return step_activity.perform(text, settings())


@blueprint.function_name(function_names.FIND_INSTANCES)
@blueprint.durable_client_input(client_name="client")
@blueprint.activity_trigger(input_name="text", activity=function_names.FIND_INSTANCES)
async def run_find_instances(text: str, client: df.DurableFunctionsClient) -> str:
    """See `mlevents.orchestration.instances`."""
    return await instances.find_instances(text, client)


@blueprint.function_name(function_names.PASS_ON_INTERVENTION)
@blueprint.durable_client_input(client_name="client")
@blueprint.activity_trigger(input_name="text", activity=function_names.PASS_ON_INTERVENTION)
async def run_pass_on_intervention(text: str, client: df.DurableFunctionsClient) -> str:
    """See `mlevents.orchestration.instances`."""
    return await instances.pass_on_intervention(text, client)


@blueprint.function_name(function_names.BEGIN_RERUN)
@blueprint.orchestration_trigger(context_name="context", orchestration=function_names.BEGIN_RERUN)
def orchestrate_rerun(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.rerun`."""
    return (yield from rerun.begin_rerun_orchestrator(context, text))


@blueprint.function_name(function_names.RESTART_RESPONSE)
@blueprint.durable_client_input(client_name="client")
@blueprint.activity_trigger(input_name="text", activity=function_names.RESTART_RESPONSE)
async def run_restart_response(text: str, client: df.DurableFunctionsClient) -> str:
    """See `mlevents.responses.rerun`."""
    return await rerun.restart_response(text, client)


@blueprint.function_name(function_names.HOLDS)
@blueprint.entity_trigger(context_name="context", entity_name=function_names.HOLDS)
def apply_hold_change(context: EntityContext, text: Any) -> None:
    """See `mlevents.responses.holds`."""
    holds.keep_holds(context, text)


@blueprint.function_name(function_names.READ_HOLDS)
@blueprint.durable_client_input(client_name="client")
@blueprint.activity_trigger(input_name="text", activity=function_names.READ_HOLDS)
async def run_read_turn(text: str, client: df.DurableFunctionsClient) -> str:
    """See `mlevents.responses.hold_release`."""
    return await hold_release.read_turn(text, client)


@blueprint.function_name(function_names.RELEASE_RESPONSES)
@blueprint.orchestration_trigger(context_name="context", orchestration=function_names.RELEASE_RESPONSES)
def orchestrate_release(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.hold_release`."""
    return (yield from hold_release.release_responses(context, text))


@blueprint.function_name(function_names.RELEASE_NEXT)
@blueprint.durable_client_input(client_name="client")
@blueprint.activity_trigger(input_name="text", activity=function_names.RELEASE_NEXT)
async def run_release_next(text: str, client: df.DurableFunctionsClient) -> str:
    """See `mlevents.responses.hold_release`."""
    return await hold_release.release_next(text, client)
