"""The filters of the subscriptions, as the rules ask for them; event_grid_filter.py applies them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlevents.errors import ConfigError
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.events.event_functions import wire_types
from mlevents.rules.file import load_rules
from mlevents.settings import Settings

UNKNOWN_TYPE = "Microsoft.MachineLearningServices."
"""The beginning of the type of events for a function that no event type declares."""
Filter = Mapping[str, Any]
log = logging.getLogger(__name__)


def type_filter(function: str) -> Filter:
    """The filter of a function for which the rules gave none: its own event type."""
    return {"includedEventTypes": [wire_types().get(function, UNKNOWN_TYPE + function)]}


def compile_rule_filters(rules: Path, environment: Mapping[str, str]) -> dict[str, Filter]:
    """The filter of each function as the rules ask; none when they cannot be loaded, which the app says."""
    try:
        loaded = load_rules(rules, Settings.read(environment))
    except ConfigError as error:
        log.warning("the rules give no filters, every event is delivered by its type alone:\n%s", error)
        return {}
    return {
        function: chosen.to_json()
        for function, chosen in compile_filters(loaded.rules, loaded.filters).items()
    }
