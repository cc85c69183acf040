"""Adds our functions to a Function App."""

import logging
import os
from typing import Any

import azure.functions as func

from mlevents.errors import ConfigError
from mlevents.handlers import console, event_functions, http, responses, timers
from mlevents.handlers.preload import schedule_preload
from mlevents.orchestration.host_requirements import find_unmet_requirements
from mlevents.settings import find_app_folder

log = logging.getLogger("mlevents")


MODULES = (event_functions, http, console, responses, timers)


def register_functions[App: func.FunctionRegister](app: App) -> App:
    """Add every function of mlevents to the app; returns the app.

    Raises ConfigError for what is not a Function App, and when a function or a route of the app has a name
    that one of ours has; nothing is added then. Names compare without case, as the Functions host compares.
    Logs a warning for each requirement that the app's host.json does not meet.
    """
    if not isinstance(app, func.FunctionRegister):
        kind = app.__name__ if isinstance(app, type) else type(app).__name__
        raise ConfigError(
            f"register() got '{kind}', which is not a Function App: give it an azure.functions.FunctionApp() "
            "or an azure.durable_functions.DFApp()"
        )
    added = [module.blueprint for module in MODULES]
    _check_names(_names(app), {name for blueprint in added for name in _names(blueprint)})
    for blueprint in added:
        app.register_functions(blueprint)
    for line in find_unmet_requirements(find_app_folder(), os.environ):
        log.warning(line)
    schedule_preload()
    return app


def _check_names(present: set[tuple[str, str]], added: set[tuple[str, str]]) -> None:
    clashes = sorted(present & added)
    if added <= present:
        raise ConfigError("register() was called twice for one Function App: call it once")
    if clashes:
        listed = ", ".join(f"{kind} '{name}'" for kind, name in clashes)
        raise ConfigError(
            f"this Function App already has the {listed}, and so has mlevents: give yours another name"
        )


def _names(container: Any) -> set[tuple[str, str]]:
    """The functions of an app or blueprint and their routes, in small letters.

    The builders are private (azure-functions 2.3, decorators/function_app.py); the public `get_functions`
    can be called only once for an app, and the worker has to call it.
    """
    found = set()
    for builder in container._function_builders:
        function = builder._function
        name = function.get_function_name()
        found.add(("function", name.casefold()))
        trigger = function.get_trigger()
        if trigger is not None and trigger.type == "httpTrigger":
            route = trigger.get_dict_repr().get("route") or name
            found.add(("route", route.strip("/").casefold()))
    return found
