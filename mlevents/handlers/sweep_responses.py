"""Every five minutes: responses and rollouts without an outcome, a release that stopped, silences."""

from datetime import UTC, datetime

import azure.durable_functions as df

from mlevents.handlers.app_state import rules, settings
from mlevents.handlers.silences import begin_silences
from mlevents.responses.hold_release import continue_release
from mlevents.responses.sweeper import Sweeper


async def sweep_responses(client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.sweeper`."""
    await Sweeper(client, datetime.now(UTC)).sweep()
    await continue_release(client)
    await begin_silences(client, rules(), settings(), datetime.now(UTC))
