"""The Functions host's entry point: registers every blueprint, and holds no logic."""

from mlevents.python_version import check_python

check_python()  # an old Python would fail at the first import below, with a message that explains nothing

import azure.functions as func  # noqa: E402

from mlevents.handlers import FunctionApp, blueprints  # noqa: E402

app = FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in blueprints():
    app.register_functions(blueprint)
