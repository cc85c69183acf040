"""The verbs of operators for a rule, or for everything: hold what its events would do, and release it."""

import asyncio
import uuid
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field

from mlevents.api.caller import identify_caller
from mlevents.api.hold_list import HoldList, HoldView, name_scope, read_hold_list
from mlevents.api.intervention_operations import LONGEST_VERB_REASON, InterventionBody
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, RequestBody, operation
from mlevents.errors import ConfigError
from mlevents.orchestration.intervention import HOLD_VERB, RELEASE_VERB, Intervention
from mlevents.registry import did_you_mean
from mlevents.responses.hold_release import continue_release
from mlevents.responses.holds import EVERYTHING, HoldChange, HoldState, change_holds, read_holds

_LONGEST_WAIT, _LOOK = 5.0, 0.05
"""Seconds for which an answer waits until a verb is stored, and between two looks."""


class ReleaseBody(RequestBody):
    """Why an operator releases."""

    reason: Annotated[str, Field(max_length=LONGEST_VERB_REASON)] = ""


@dataclass(frozen=True, slots=True)
class HoldChangeView:
    """What a verb led to: `hold` is what holds the rule, or everything, now; null after a release.

    `rule` is null for everything. `waiting` counts its responses that wait; `changed` is false where the verb
    had its effect before.
    """

    rule: str | None
    hold: HoldView | None
    waiting: int
    changed: bool


_CHANGE: dict[str, Any] = {"answer": HoldChangeView, "answers": {202: HoldChangeView}}


@operation("HoldRule", body=InterventionBody, errors=(404,), **_CHANGE)
async def hold_rule(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Hold a rule: responses that events begin from now on wait, until it is released.

    Responses that have begun go on. Holding it again changes nothing.
    """
    rule = request.path["id"]
    require_rule(rule, app)
    return await apply_verb(app, rule, HOLD_VERB, request)


@operation("ReleaseRule", body=ReleaseBody, errors=(404,), **_CHANGE)
async def release_rule(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Release a rule: what waits acts, the earliest event first, and each of its gates is checked once more.

    While everything is held, it goes on waiting.
    """
    rule = request.path["id"]
    if rule not in (await read_holds(app.client)).holds:
        require_rule(rule, app)
    return await apply_verb(app, rule, RELEASE_VERB, request)


@operation("HoldEverything", body=InterventionBody, **_CHANGE)
async def hold_everything(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Hold every rule, until everything is released; holds of single rules stay as they are."""
    return await apply_verb(app, EVERYTHING, HOLD_VERB, request)


@operation("ReleaseEverything", body=ReleaseBody, **_CHANGE)
async def release_everything(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Release the hold of everything; a rule that has a hold of its own stays held."""
    return await apply_verb(app, EVERYTHING, RELEASE_VERB, request)


@operation("ListHolds", answer=HoldList)
async def list_holds(_: ApiRequest, app: AppState) -> ApiAnswer:
    """What is held: by whom, why, since when, and how many responses wait."""
    return ApiAnswer(asdict((await read_hold_list(app.client)).view_all()))


def require_rule(rule: str, app: AppState) -> None:
    """Raise ApiError 404 unless the rule file has this rule; a broken file may have it."""
    try:
        known = [one.id for one in app.rules().rules]
    except ConfigError:
        return
    if rule not in known:
        raise ApiError(404, f"no rule has the id '{rule:.200}'{did_you_mean(rule, known)}")


async def apply_verb(app: AppState, scope: str, verb: str, request: ApiRequest) -> ApiAnswer:
    """Store a verb unless it had its effect before, and answer with what it led to."""
    by, reason = identify_caller(request.headers), " ".join(request.body.reason.split())
    state, stored = await read_holds(app.client), True
    time = state.choose_time(scope, app.now).isoformat()
    wanted = Intervention(f"{verb}-{uuid.uuid4().hex}", verb, by, reason, time)
    if (scope in state.holds) != (verb == HOLD_VERB):
        await change_holds(app.client, verb, HoldChange(scope, wanted))
        state, stored = await wait_for_verb(app, wanted.id)
    if verb == RELEASE_VERB:
        await continue_release(app.client)
    found = await read_hold_list(app.client)
    caused = state.holds if verb == HOLD_VERB else state.releases
    changed = wanted.id == (caused[scope].id if scope in caused else None)
    waiting = found.waiting.total() if scope == EVERYTHING else found.waiting[scope]
    view = HoldChangeView(name_scope(scope), found.view(scope), waiting, changed)
    return ApiAnswer(asdict(view), 200 if stored else 202)


async def wait_for_verb(app: AppState, verb_id: str) -> tuple[HoldState, bool]:
    """The state once the entity has the verb, or the last one after `_LONGEST_WAIT`; says which."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _LONGEST_WAIT
    while True:
        state = await read_holds(app.client)
        stored = verb_id in state.verbs
        if stored or clock() > deadline:
            return state, stored
        await asyncio.sleep(_LOOK)
