"""Registers what carries responses: orchestrators, entities and the one activity."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
from durabletask.entities import EntityContext
from durabletask.task import OrchestrationContext

from handlers.delivery import settings
from mlevents.responses import claims, endpoint_queue, perform, respond, rollout

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration="response")
def response(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.respond`."""
    return (yield from respond.response(context, text))


@blueprint.orchestration_trigger(context_name="context", orchestration="rollout")
def roll_out(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """See `mlevents.responses.rollout`."""
    return (yield from rollout.rollout(context, text))


@blueprint.entity_trigger(context_name="context", entity_name="claim")
def claim(context: EntityContext, document: Any) -> Any:
    """See `mlevents.responses.claims`."""
    return claims.claim(context, document)


@blueprint.entity_trigger(context_name="context", entity_name="endpoint")
def endpoint(context: EntityContext, document: Any) -> str | None:
    """See `mlevents.responses.endpoint_queue`."""
    return endpoint_queue.endpoint(context, document)


@blueprint.entity_trigger(context_name="context", entity_name="order")
def order(context: EntityContext, document: Any) -> str | None:
    """See `mlevents.responses.endpoint_queue`."""
    return endpoint_queue.order(context, document)


@blueprint.activity_trigger(input_name="text", activity="perform")
def perform_step(text: str) -> str:
    """See `mlevents.responses.perform`."""
    return perform.perform(text, settings())
