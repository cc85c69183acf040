"""Loads in the background what the first response of a new worker needs: its rules, its functions, the SDK.

A worker registers its functions without them, so that the event that starts it is answered soon. Without this
thread, the first response would wait for them: half a second or more.
"""

import asyncio
import logging
import threading
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from mlevents.handlers.app_state import rules, settings
from mlevents.handlers.late_function import load_function
from mlevents.handlers.responses import ORCHESTRATORS, STEP_ACTIVITIES
from mlevents.orchestration import function_names as names

if TYPE_CHECKING:
    from mlevents.rules.model import Rules

IDLE_SECONDS = 0.5
"""Seconds after the registration, in which an event that started the worker is answered."""
DELIVERY = "mlevents.handlers.delivery:deliver"
EVERY_RESPONSE = (ORCHESTRATORS[names.RESPOND_TO_EVENT], STEP_ACTIVITIES[names.PERFORM_STEP])

log = logging.getLogger("mlevents")


def schedule_preload() -> None:
    """Preload soon, if this process is a worker: only that has an event loop when it registers functions."""
    with suppress(RuntimeError):
        asyncio.get_running_loop().call_later(IDLE_SECONDS, start_preload)


@cache
def start_preload() -> None:
    """Preload in a thread, once a process."""
    threading.Thread(target=preload, name="preload", daemon=True).start()


def preload() -> None:
    """Load what responses by these rules need; never raises: whoever needs it says what is wrong."""
    from mlevents.rules.garbage_collection import pause_collection

    try:
        with pause_collection():
            _load(rules())
    except Exception as error:  # noqa: BLE001 - nothing depends on it
        log.debug("what the first response needs is not loaded yet: %s", error)


def _load(loaded: "Rules") -> None:
    from mlevents.responses.first_response import list_actions, list_step_orchestrators, open_azure

    actions = list_actions(loaded)
    own = map(ORCHESTRATORS.__getitem__, list_step_orchestrators(actions))
    for place in (DELIVERY, *EVERY_RESPONSE, *own):
        load_function(place)
    open_azure(actions, settings())
