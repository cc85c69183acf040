"""How often the tags of models are compared, where a rule asks for that."""

from collections.abc import Mapping

from mlevents.errors import ConfigError

_MINUTES = {**{f"{count}m": count for count in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)}, "1h": 60}
"""The intervals that a timer can have: those that divide an hour."""


def read_tag_schedule(environment: Mapping[str, str]) -> str:
    """The setting MLEVENTS_TAG_WATCH as NCRONTAB, a minute after the sweeper to spread the load.

    Raises ConfigError for a value that cannot be used.
    """
    text = environment.get("MLEVENTS_TAG_WATCH") or "5m"
    if text not in _MINUTES:
        raise ConfigError(f"MLEVENTS_TAG_WATCH is '{text:.100}': set it to one of {', '.join(_MINUTES)}")
    minutes = _MINUTES[text]
    return "0 1 * * * *" if minutes == 60 else f"0 {1 % minutes}/{minutes} * * * *"
