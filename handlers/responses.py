"""Registers what completes responses: orchestrators, entities and activities."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
from durabletask.entities import EntityContext
from durabletask.task import OrchestrationContext

from handlers.delivery import settings
from mlevents.responses import endpoint_queue, function_names, newest_version, perform, respond, rollout

blueprint = df.Blueprint()


@blueprint.function_name(function_names.RESPOND_TO_EVENT)
@blueprint.orchestration_trigger(context_name="context", orchestration=function_names.RESPOND_TO_EVENT)
def respond_to_event(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.respond`."""
    return (yield from respond.respond_to_event(context, text))


@blueprint.function_name(function_names.ROLL_OUT_MODEL)
@blueprint.orchestration_trigger(context_name="context", orchestration=function_names.ROLL_OUT_MODEL)
def roll_out_model(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.rollout`."""
    return (yield from rollout.roll_out_model(context, text))


@blueprint.function_name(function_names.ENDPOINT_LEASE)
@blueprint.entity_trigger(context_name="context", entity_name=function_names.ENDPOINT_LEASE)
def endpoint_lease(context: EntityContext, document: Any) -> str | None:
    """See `mlevents.responses.endpoint_queue`."""
    return endpoint_queue.endpoint(context, document)


@blueprint.function_name(function_names.NEWEST_VERSION)
@blueprint.entity_trigger(context_name="context", entity_name=function_names.NEWEST_VERSION)
def remember_version(context: EntityContext, document: Any) -> str:
    """See `mlevents.responses.newest_version`."""
    return newest_version.newest_version(context, document)


@blueprint.function_name(function_names.PERFORM_STEP)
@blueprint.activity_trigger(input_name="text", activity=function_names.PERFORM_STEP)
def perform_step(text: str) -> str:
    """See `mlevents.responses.perform`."""
    return perform.perform(text, settings())
