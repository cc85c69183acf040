"""What an event would lead to if it were delivered now: for those who deliver events again."""

import asyncio
import json
from dataclasses import asdict, replace
from typing import Any

from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, RequestBody, operation
from mlevents.responses.delivery_plan import DeliveryPlan, PlannedResponse, plan_delivery
from mlevents.responses.response_view import view_response


class PlanRequest(RequestBody):
    """The event, as Event Grid delivers it."""

    event: dict[str, Any]


@operation("PlanDelivery", body=PlanRequest, answer=DeliveryPlan)
async def plan_one_delivery(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Which responses the delivery of an event would begin now, and which of them exist already.

    Nothing is done, and the event is not recorded.
    """
    raw = json.dumps(request.body.event, ensure_ascii=False)
    planned = plan_delivery(raw, app.rules(), app.settings(), app.now)
    found = await asyncio.gather(*(_look_up(one, app) for one in planned.responses))
    return ApiAnswer(asdict(replace(planned, responses=tuple(found))))


async def _look_up(one: PlannedResponse, app: AppState) -> PlannedResponse:
    """The response with the status of the one that exists: one read of the task hub."""
    state = await app.client.get_orchestration_state(one.id)
    return one if state is None else replace(one, existing=view_response(state, {}).view.status)
