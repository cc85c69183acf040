"""Event-driven MLOps for Azure Machine Learning: rules turn workspace events into actions."""

from typing import Any

from mlevents.python_version import check_python

__all__ = ["register"]


def register(app: Any) -> Any:
    """Add every function of mlevents to a Function App, and return the app.

    `app` is an `azure.functions.FunctionApp` or an `azure.durable_functions.DFApp`, new or with functions of
    its own. Raises ConfigError when a function of the app has the name of one of ours.
    """
    check_python()  # an old Python would fail at the import below, with a message that explains nothing
    from mlevents.handlers.registration import register_functions

    return register_functions(app)
