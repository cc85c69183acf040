"""The dead letters of the last week, as the health shows them."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from mlevents.api.operation import AppState
from mlevents.errors import ActionError, ConfigError
from mlevents.eventgrid.dead_letter_store import open_store
from mlevents.eventgrid.dead_letter_survey import survey_letters, write_replay_command

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """The events that Event Grid gave up within seven days; `latest` is when it wrote the last one.

    `reasons` counts them by reason. `command` replays them, null when there are none; `problem` says why the
    container cannot be read.
    """

    events: int = 0
    latest: str | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    command: str | None = None
    problem: str | None = None


async def read_dead_letter_view(app: AppState) -> DeadLetterView | None:
    """What there is now; None where no container is set."""
    try:
        settings = app.settings()
        if not settings.dead_letters:
            return None
        store = open_store(settings.dead_letters)
        found = await asyncio.to_thread(survey_letters, store, app.now - _WEEK, app.now)
    except (ActionError, ConfigError) as error:
        return DeadLetterView(problem=str(error))
    if found.newest is None:
        return DeadLetterView()
    name = settings.environment.get("WEBSITE_SITE_NAME", "")
    command = write_replay_command(settings.dead_letters, name, found.first)
    return DeadLetterView(found.events, found.newest.isoformat(), dict(found.reasons), command)
