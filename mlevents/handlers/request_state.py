"""The state of the app that operations and pages of the console read."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from mlevents.api.operation import AppState
from mlevents.handlers.app_state import problems, rules, settings
from mlevents.handlers.delivery import deliver
from mlevents.handlers.late_function import register_own_elements


def make_app_state(client: Any) -> AppState:
    """The state at this moment, with a client of the task hub, or None where nothing needs one."""
    register_own_elements()
    return AppState(client, datetime.now(UTC), rules, settings, problems, partial(deliver, client=client))
