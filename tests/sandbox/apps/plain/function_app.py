"""A function app with the five event functions, which do nothing."""

import azure.functions as func

app = func.FunctionApp()


def taking(name: str) -> None:
    @app.function_name(name)
    @app.event_grid_trigger(arg_name="event")
    def take(event: func.EventGridEvent) -> None: ...


@app.route()
def ping(req: func.HttpRequest) -> str:
    print("ping was called")
    return "pong"


for name in ("ModelRegistered", "ModelDeployed", "RunCompleted", "RunStatusChanged", "DatasetDriftDetected"):
    taking(name)
