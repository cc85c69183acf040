"""The Functions host's entry point: registers every blueprint, and holds no logic."""

import azure.durable_functions as df
import azure.functions as func

from handlers import blueprints

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in blueprints():
    app.register_functions(blueprint)
