"""What a process of the app loads once, when it is first needed: its settings and its rules."""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from mlevents.errors import ConfigError
from mlevents.settings import Settings, find_unresolved_references

if TYPE_CHECKING:
    from mlevents.rules.model import Rules


@cache
def settings() -> Settings:
    """This process's settings, with those of the environment's file where one is chosen."""
    read = Settings.read()
    if not read.rule_environment:
        return read
    from mlevents.rules.environment_file import add_environment_settings

    return add_environment_settings(read)


failures: list[ConfigError] = []
"""Why the rule file could not be loaded at the last try, or what its extensions have raised since then; empty
when it was loaded, or was not tried yet."""


@cache
def rules() -> "Rules":
    """The rule file, loaded once a process; raises RulesError for each delivery while it is broken."""
    from mlevents.rules.file import load_rules

    failures.clear()
    try:
        return load_rules(settings().rules, settings())
    except ConfigError as error:
        failures.append(error)
        raise


def problems() -> list[str]:
    """Why deliveries are raising now; empty when they are not."""
    found, waiting = faults_of_rules(), find_unresolved_references()
    return [*found, *(line for line in waiting if not any(line in one for one in found))]


def faults_of_rules() -> list[str]:
    """Why the rule file cannot be used.

    A file that could not be loaded is read again by deliveries alone: whoever asks here costs nothing.
    """
    if not failures:
        with suppress(ConfigError):
            rules()
    return [line for error in failures for line in str(error).splitlines()]
