"""What wakes us: one module a function; nothing else imports the Functions host's libraries."""

import importlib
import pkgutil
from collections.abc import Iterator

import azure.durable_functions as df


class FunctionApp(df.DFApp):
    """The app without the library's own HTTP functions.

    They call any address, with a token of the app's identity when the input asks for one. Nothing here uses
    them, and whoever holds the key of the Durable webhook could start one.
    """

    def _register_builtin_http_functions(self) -> None:
        """Register none (azure-functions-durable 2.0, decorators/durable_app.py, registers two)."""


def blueprints() -> Iterator[df.Blueprint]:
    """The blueprint of every module here that has one, so that none can be forgotten."""
    for module in pkgutil.iter_modules(__path__):
        blueprint = getattr(importlib.import_module(f"{__name__}.{module.name}"), "blueprint", None)
        if blueprint is not None:
            yield blueprint
