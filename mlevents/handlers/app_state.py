"""What a process of the app loads once, when it is first needed: its settings and its rules."""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from mlevents.errors import ConfigError
from mlevents.services.lazy_import import import_lock
from mlevents.settings import Settings, find_unresolved_references

if TYPE_CHECKING:
    from mlevents.rules.model import Rules
    from mlevents.rules.rules_outline import RulesOutline


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


def rules() -> "Rules":
    """The rule file, loaded once a process; raises RulesError for each delivery while it is broken."""
    if not are_rules_loaded():
        with import_lock():  # a delivery waits for the rules that a thread is loading
            load_rules_once()
    return load_rules_once()


def are_rules_loaded() -> bool:
    """Whether `rules` answers at once."""
    return load_rules_once.cache_info().currsize > 0


@cache
def load_rules_once() -> "Rules":
    """The rule file, kept for `rules`, which lets one thread load it."""
    from mlevents.rules.file import load_rules
    from mlevents.rules.rules_outline import make_digest, write_outline

    failures.clear()
    try:
        digest = None if outline() else make_digest(settings())
        loaded = load_rules(settings().rules, settings())
    except ConfigError as error:
        failures.append(error)
        raise
    write_outline(loaded, settings(), digest)
    return loaded


@cache
def outline() -> "RulesOutline | None":
    """What tells most events that no rule matches from the others, before the rules are loaded."""
    from mlevents.rules.rules_outline import read_outline

    return read_outline(settings())


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
