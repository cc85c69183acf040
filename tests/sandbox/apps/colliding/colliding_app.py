"""A function app with two functions whose names differ in case only."""

import azure.durable_functions as df
import azure.functions as func
from durabletask import task

app = df.DFApp()


@app.function_name("Answer")
@app.route(route="answer")
def show(req: func.HttpRequest) -> str:
    return "here"


@app.orchestration_trigger(context_name="context")
def answer(context: task.OrchestrationContext, given: None):
    yield context.call_activity("none")
