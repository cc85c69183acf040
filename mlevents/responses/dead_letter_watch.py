"""Notices new dead letters: one response for many, at most one an hour, which notifies people.

The response is settled from the beginning, as that of an event in quarantine, so its notification is durable,
and it is listed. What was noticed before is remembered by it alone: its event's time is when the last of its
dead letters was written.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationQuery

from mlevents.eventgrid.dead_letter_store import open_store
from mlevents.eventgrid.dead_letter_survey import DeadLetterSurvey, survey_letters, write_replay_command
from mlevents.events import Event
from mlevents.orchestration.messages import Response
from mlevents.orchestration.step_plan import StepPlan
from mlevents.responses.hub_page import read_hub_page
from mlevents.responses.response_id import digest
from mlevents.responses.response_view import known_outcome
from mlevents.responses.step_serialization import plan_step, select_named
from mlevents.rules.model import Rules
from mlevents.rules.syntax import DEAD_LETTERS
from mlevents.settings import Settings

_LOOK_BACK, REPORT_PAUSE = timedelta(days=1), timedelta(hours=1)
"""What counts as new at the first look, and the time between two messages."""
SETTLED = timedelta(seconds=2)
"""Storage rounds the time of a blob to a second: what is younger may get company of the same second."""
TEMPLATE = "dead-letter"
_REPORTS = 100


class LatestReport(NamedTuple):
    """When the last response began, and when the last dead letter that it knows was written."""

    began: datetime
    newest: datetime


async def notice_dead_letters(
    client: AsyncTaskHubGrpcClient, rules: Rules, settings: Settings, now: datetime
) -> Response | None:
    """The response to dead letters that nobody was notified of; None if there are none, or it is too early.

    One request lists up to 5,000 blobs. Raises ActionError or ConfigError if they cannot be read.
    """
    if not settings.dead_letters:
        return None
    latest = await read_latest_report(client)
    if latest and now - latest.began < REPORT_PAUSE:
        return None
    since = latest.newest if latest else now - _LOOK_BACK
    store = open_store(settings.dead_letters)
    found = await asyncio.to_thread(survey_letters, store, since, now - SETTLED)
    return plan_report(found, found.newest, rules, settings) if found.newest else None


async def read_latest_report(client: AsyncTaskHubGrpcClient) -> LatestReport | None:
    """The last response about dead letters: one query of the task hub by the beginning of ids."""
    query = OrchestrationQuery(instance_id_prefix=f"{DEAD_LETTERS}.", max_instance_count=_REPORTS)
    found: list[LatestReport] = []
    token: str | None = None
    while True:
        page = await read_hub_page(client, query, token)
        for state in page.items:
            if time := known_outcome(state).event.time:
                began = state.created_at.replace(tzinfo=UTC)
                found.append(LatestReport(began, datetime.fromisoformat(time)))
        token = page.continuation_token
        if token is None:
            return max(found, key=lambda one: one.newest, default=None)


def plan_report(found: DeadLetterSurvey, latest: datetime, rules: Rules, settings: Settings) -> Response:
    """The settled response: its reason says how many, why, and how to replay them; `latest` is the newest."""
    newest = latest.astimezone(UTC).isoformat()
    app = settings.environment.get("WEBSITE_SITE_NAME", "")
    command = write_replay_command(settings.dead_letters, app, found.first)
    steps = rules.defaults.on_failure
    return Response(
        id=f"{DEAD_LETTERS}.{digest(newest)}",
        rule=None,
        event=Event(
            id="",
            type="dead letter",
            kinds=(),
            time=newest,
            subject="1 event" if found.events == 1 else f"{found.events:,} events",
            topic="",
            names={"event": {"subject": f"{found.events:,}", "time": newest}},
        ),
        status="failed",
        because=f"{found.describe()}. Replay them: {command}",
        alert=settings.mode not in ("shadow", "disabled"),
        on_failure=tuple(_choose_template(plan_step(one)) for one in steps),
        connections=select_named(rules.connections, steps),
    )


def _choose_template(step: StepPlan) -> StepPlan:
    """A step that notifies says what it is about; any other step stays."""
    if not step.notifies:
        return step
    return replace(step, with_={"to": step.with_["to"], "template": TEMPLATE}, if_=None)
