"""Every five minutes: new dead letters notify people, many in one message."""

from datetime import UTC, datetime

import azure.durable_functions as df

from mlevents.handlers.app_state import rules, settings
from mlevents.handlers.scheduling import schedule
from mlevents.responses.dead_letter_watch import notice_dead_letters


async def watch_dead_letters(client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.dead_letter_watch`; raises while the container cannot be read."""
    found = await notice_dead_letters(client, rules(), settings(), datetime.now(UTC))
    if found:
        await schedule(found, client)
