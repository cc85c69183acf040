"""Releases held responses in order: the orchestrator ReleaseResponses, of which one instance runs at a time.

Responses of one rule act in the order of their events' times, then of their arrival. The next one begins
when the one before has ended, waits at a gate, or has been acting for some minutes (see `_MOST_LOOKS`). A
rollout without the gate `order` that acts is waited for to its end: the endpoint would else not serve the
latest in the end. At a gate a response may wait for days, for a person, or for the very next ones.

A response that starts meanwhile waits behind the others. If the orchestration is lost, the sweeper and each
waiting response start it again.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import RELEASE_NEXT, RELEASE_RESPONSES
from mlevents.orchestration.instances import raise_event
from mlevents.orchestration.intervention import RELEASED
from mlevents.orchestration.json_message import JsonMessage, read_each_value
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import ENDED, REPLACE_ENDED, start
from mlevents.responses.held_list import HeldResponse, is_at_gate, is_waiting, list_held
from mlevents.responses.held_response import Turn
from mlevents.responses.holds import COMPLETE, EVERYTHING, HoldChange, HoldState, change_holds, read_holds
from mlevents.responses.response_view import read_response

INSTANCE_OF_RELEASE = "holds.release"
"""The id of the one instance; no response has it, for a response's id ends in a digest."""
_ROUNDS, _FIRST_PAUSE, _LONGEST_PAUSE = 100, 0.5, 30.0
"""Rounds of one history; seconds between two of them, which grow while nothing changes."""
_MOST_LOOKS = 15
"""Rounds, some minutes, after which the next response begins though the one before has not ended."""
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class ActingResponse(JsonMessage):
    """A response that was released, and how often it was looked at since."""

    id: str
    looks: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseProgress(JsonMessage):
    """What one round leaves to the next: which response of each rule acts, and which follow in order."""

    acting: Mapping[str, ActingResponse] = field(default_factory=dict)
    following: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pause: float = _FIRST_PAUSE
    done: bool = False

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "acting": read_each_value(ActingResponse.from_json),
        "following": read_each_value(tuple),
    }


async def read_turn(text: str, client: AsyncTaskHubGrpcClient) -> str:
    """The activity ReadHolds: whether a response of this rule, as JSON text, may act."""
    rule, state = json.loads(text), await read_holds(client)
    if hold := state.find_hold(rule):
        return to_text(Turn(f"hold: {hold}").to_json())
    release = state.find_release(rule)
    if release is None:
        return to_text(Turn().to_json())
    await continue_release(client)
    return to_text(Turn(f"hold: released {release}; the events before it act first", released=True).to_json())


async def continue_release(client: AsyncTaskHubGrpcClient) -> None:
    """Start the orchestration if there is something to release, unless it runs."""
    if (await read_holds(client)).releases:
        await start(client, RELEASE_RESPONSES, "{}", INSTANCE_OF_RELEASE, REPLACE_ENDED)


def release_responses(context: OrchestrationContext, text: str) -> Durable[dict[str, str] | None]:
    """The orchestrator ReleaseResponses; the text is its progress, as JSON."""
    for _ in range(_ROUNDS):
        progress = ReleaseProgress.from_json(json.loads(text))
        try:
            text = yield context.call_activity(RELEASE_NEXT, input=text)
            progress = ReleaseProgress.from_json(json.loads(text))
        except TaskFailedError:
            progress = replace(progress, pause=_LONGEST_PAUSE)
        if progress.done:
            return {"status": "done"}
        yield context.create_timer(timedelta(seconds=progress.pause))
    context.continue_as_new(text)
    return None


async def release_next(text: str, client: AsyncTaskHubGrpcClient) -> str:
    """The activity ReleaseNext: let the next response of each rule act; gives the progress."""
    before, state = ReleaseProgress.from_json(json.loads(text)), await read_holds(client)
    if not state.releases:
        return to_text(ReleaseProgress(done=True).to_json())
    acting = {rule: replace(one, looks=one.looks + 1) for rule, one in before.acting.items()}
    acting = {rule: one for rule, one in acting.items() if await is_acting(client, state, rule, one)}
    following = {rule: ids for rule, ids in before.following.items() if ids and state.find_release(rule)}
    if not following:
        held = await list_held(client)
        following = line_up(held, state, acting)
        await complete_releases(client, state, {one.rule for one in held}, acting)
    for rule in following.keys() - acting.keys():
        first, *others = following[rule]
        following[rule] = tuple(others)
        if await wake(client, state, rule, first):
            acting[rule] = ActingResponse(first)
    idle = {rule: one.id for rule, one in acting.items()} == {r: one.id for r, one in before.acting.items()}
    pause = min(before.pause * 1.5, _LONGEST_PAUSE) if idle else _FIRST_PAUSE
    return to_text(ReleaseProgress(acting, following, pause).to_json())


def line_up(
    held: Iterable[HeldResponse], state: HoldState, acting: Mapping[str, ActingResponse]
) -> dict[str, tuple[str, ...]]:
    """The responses that may act by rule, in their order; those that are acting are left out."""
    busy = {one.id for one in acting.values()}
    found: dict[str, tuple[str, ...]] = {}
    for one in sorted(held, key=lambda one: one.order):
        if state.find_release(one.rule) and one.id not in busy:
            found[one.rule] = (*found.get(one.rule, ()), one.id)[:MOST_LISTED]
    return found


async def complete_releases(
    client: AsyncTaskHubGrpcClient, state: HoldState, waiting: set[str], acting: Mapping[str, ActingResponse]
) -> None:
    """End those releases for which nothing waits any more."""
    begun = {rule for rule, one in acting.items() if one.looks < _MOST_LOOKS}
    busy = {rule for rule in waiting | begun if state.find_release(rule)}
    for scope, intervention in state.releases.items():
        if not (busy if scope == EVERYTHING else busy & {scope}):
            await change_holds(client, COMPLETE, HoldChange(scope, intervention))


async def wake(client: AsyncTaskHubGrpcClient, state: HoldState, rule: str, response: str) -> bool:
    """Let a response act that waits; says whether it was waiting."""
    found, release = await client.get_orchestration_state(response), state.find_release(rule)
    if found is None or release is None or not is_waiting(found):
        return False
    said = replace(release, id=f"{RELEASED}-{uuid.uuid4().hex}", verb=RELEASED)
    return await raise_event(client, response, to_text(said.to_json()))


async def is_acting(client: AsyncTaskHubGrpcClient, state: HoldState, rule: str, one: ActingResponse) -> bool:
    """Whether the next response of the rule has to wait for this one.

    One that still waits as held did not understand that it may act: after some looks, it is in line again.
    """
    found = await client.get_orchestration_state(one.id)
    if found is None or found.runtime_status in ENDED or not state.find_release(rule) or is_at_gate(found):
        return False
    response = read_response(found)
    rolls_out = response is not None and any(step.orchestration for step in response.steps)
    must_end = rolls_out and response is not None and "order" not in response.gates and not is_waiting(found)
    return must_end or one.looks < _MOST_LOOKS
