"""The container of our functions, which fits any Function App."""

from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import azure.functions as func


class Blueprint(df.Blueprint):
    """A Durable blueprint without the library's own HTTP functions, and with an access level of its own.

    Those functions call any address, with a token of the app's identity when the input asks for one. Nothing
    here uses them, and whoever holds the key of the Durable webhook could start one.
    """

    def _register_builtin_http_functions(self) -> None:
        """Register none (azure-functions-durable 2.0, decorators/durable_app.py, registers two)."""

    def route(self, *words: Any, **options: Any) -> Callable[..., Any]:
        """An HTTP function that asks for a key, even in an app whose default level is ANONYMOUS."""
        return super().route(*words, **{"auth_level": func.AuthLevel.FUNCTION} | options)
