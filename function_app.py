"""The Functions host's entry point: registers every function, and holds no logic."""

import azure.functions as func

from mlevents import register

app = register(func.FunctionApp())
