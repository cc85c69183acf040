"""Every ten minutes: purge what is older than `defaults.retention`, a small batch at a time."""

from datetime import UTC, datetime

import azure.durable_functions as df

from mlevents.handlers.app_state import rules
from mlevents.responses.retention import Purger


async def purge_responses(client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.retention`; raises RulesError while the rule file is broken."""
    await Purger(client, datetime.now(UTC), rules().defaults.retention).purge()
