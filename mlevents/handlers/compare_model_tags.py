"""Every five minutes, or as often as a setting says: changed tags of models become events `model.tagged`."""

from functools import partial

import azure.durable_functions as df

from mlevents.handlers.app_state import rules, settings
from mlevents.handlers.delivery import deliver
from mlevents.responses.tag_watch import watch_tags


async def compare_model_tags(client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.tag_watch`; does nothing unless a rule asks for `model.tagged`."""
    await watch_tags(client, partial(deliver, client=client), rules(), settings())
