"""A function app with timers, which write down how they were called."""

import json
import os
import time
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp()


def record(name: str, timer: Any, began: float) -> None:
    line = {"name": name, "past_due": timer.past_due, "began": began, "ended": time.monotonic()}
    line |= {"status": timer.schedule_status, "schedule": timer.schedule}
    with Path(os.environ["TIMED_LOG"]).open("a") as file:
        file.write(json.dumps(line) + "\n")


@app.timer_trigger(arg_name="timer", schedule="0 */10 * * * *")
def quick(timer: func.TimerRequest) -> None:
    record("quick", timer, time.monotonic())


@app.timer_trigger(arg_name="timer", schedule="00:05:00")
def slow(timer: func.TimerRequest) -> None:
    began = time.monotonic()
    time.sleep(0.8)
    record("slow", timer, began)


@app.timer_trigger(arg_name="timer", schedule="%HOURLY%", run_on_startup=True)
def hourly(timer: func.TimerRequest) -> None:
    record("hourly", timer, time.monotonic())


@app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
def broken(timer: func.TimerRequest) -> None:
    record("broken", timer, time.monotonic())
    raise ValueError("the rules are broken")


@app.timer_trigger(arg_name="timer", schedule="every day at noon")
def wrong(timer: func.TimerRequest) -> None:
    record("wrong", timer, time.monotonic())


@app.route()
def ping(req: func.HttpRequest) -> str:
    return "pong"
