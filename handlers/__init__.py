"""What wakes us: one module a function; nothing else imports the Functions host's libraries."""

import importlib
import pkgutil
from collections.abc import Iterator

import azure.durable_functions as df


def blueprints() -> Iterator[df.Blueprint]:
    """The blueprint of every module here that has one, so that none can be forgotten."""
    for module in pkgutil.iter_modules(__path__):
        blueprint = getattr(importlib.import_module(f"{__name__}.{module.name}"), "blueprint", None)
        if blueprint is not None:
            yield blueprint
