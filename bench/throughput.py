"""Events a second from the webhook to the scheduled and to the finished response, and where the time goes.

    python -m bench.throughput

1 to 128 callers deliver events that match nothing, then events that each send a message, to our app and to
the least Durable Functions app (`noop_app`). Callers, sandbox (host, task hub, Azure's stand-ins) and app are
three processes on this machine; the CPU time of each says which of them is the limit.
"""

import http.client
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

from bench.delivery_round import Delivery, Round
from bench.figure import Figure
from bench.noop_app import copy_noop_app, read_ends
from sandbox.sandbox_process import ROOT, Stage, stage

CALLERS = (1, 8, 32, 128)
EVENTS, MESSAGES, WARM_UP = 600, 200, 20
SPEED = 20
"""Divides the waits of the sandbox: few timers of the app run meanwhile, and a new app soon gets work."""
PATIENCE, PAUSE = 180.0, 2.0
"""Seconds that responses may take after the last delivery, and between two looks."""
OTHER, CANCELED, FAILED = "Completed", "Canceled", "Failed"
"""Of a run: no rule matches the first, a rule in shadow mode the second, one that notifies the third."""
KINDS = (
    ("unmatched", OTHER, EVENTS),
    ("shadow response", CANCELED, MESSAGES),
    ("notification", FAILED, MESSAGES),
)
TICKS = os.sysconf("SC_CLK_TCK")
PATH = "/runtime/webhooks/eventgrid?functionName=RunStatusChanged"
HEADERS = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
RULES = """
version: 1
connections:
  mail: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@b.example, to: [t@b.example]}
rules:
  - id: shadow
    mode: shadow
    event: run.status_changed
    where: {run: {status: canceled}}
    do: [{uses: notify, with: {to: mail, subject: "${run.id}", text: canceled}}]
  - id: alert
    event: run.status_changed
    where: {run: {status: failed}}
    do: [{uses: notify, with: {to: mail, subject: "${run.id}", text: failed}}]
"""


type Ends = Callable[[], Mapping[str, float]]
"""When the response to each event ended, in seconds since the epoch, by the event's id."""


def figures() -> Iterator[Figure]:
    """Every figure of both kinds of events, by the number of callers."""
    for kind, callers, one in measure():
        about = f"{kind}, {callers} callers"
        yield Figure(f"{about}: scheduled", "events/s", (one.scheduled_rate,))
        yield from _percentiles(f"{about}: to the answer", one.answer_times)
        if one.finished:
            yield Figure(f"{about}: finished", "responses/s", (one.finished_rate,))
            yield from _percentiles(f"{about}: to the end", one.finish_times)
        for part, milliseconds in zip(("callers", "sandbox", "app"), one.cpu_each, strict=True):
            yield Figure(f"{about}: CPU of {part}", "ms/event", (milliseconds,))


def measure() -> Iterator[tuple[str, int, Round]]:
    """Each kind of events with each number of callers: our app, then the least one."""
    with running_app() as on:
        yield from measure_app(on, "", partial(read_responses, on))
        with tempfile.TemporaryDirectory() as folder:
            on.kill()
            on.start(copy_noop_app(Path(folder)))
            yield from measure_app(on, "no-op app, ", partial(read_ends, Path(folder)))


def measure_app(on: Stage, prefix: str, ends: Ends) -> Iterator[tuple[str, int, Round]]:
    """Each kind of events with each number of callers; `ends` reads when each response ended."""
    for kind, status, events in KINDS:
        for callers in CALLERS:
            yield prefix + kind, callers, measure_round(on, status, callers, events, ends)


@contextmanager
def running_app() -> Iterator[Stage]:
    """The app on the sandbox, with one rule."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.yaml"
        rules.write_text(RULES)
        shutil.copytree(ROOT / "deployments", rules.parent / "deployments")
        with stage(rules, SPEED) as on:
            yield on


def measure_round(on: Stage, status: str, callers: int, events: int, ends: Ends) -> Round:
    """Deliver so many events, and wait for their responses; raises RuntimeError if one is refused."""
    warm_up = deliver_all(on, status, callers, WARM_UP)
    if status != OTHER:
        wait_for_ends(warm_up, ends)
    before = read_cpu(on)
    deliveries = deliver_all(on, status, callers, events)
    finished = [] if status == OTHER else wait_for_ends(deliveries, ends)
    after = read_cpu(on)
    return Round(deliveries, finished, tuple(b - a for a, b in zip(before, after, strict=True)))


def deliver_all(on: Stage, status: str, callers: int, events: int) -> list[Delivery]:
    """Deliver these events by so many callers, each with a connection that it keeps."""
    connection = threading.local()
    address = urlsplit(on.ready["functions"])

    def deliver(body: tuple[str, bytes]) -> Delivery:
        id, text = body
        if not hasattr(connection, "open"):
            connection.open = http.client.HTTPConnection(address.netloc, timeout=60)
        began = time.time()
        connection.open.request("POST", PATH, text, HEADERS)
        answer = connection.open.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.ACCEPTED:
            raise RuntimeError(f"a delivery was answered with {answer.status}")
        return Delivery(id, began, time.time())

    made = [on.run_status_changed(f"run-{number}", status) for number in range(events)]
    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(deliver, [(one["id"], json.dumps([one]).encode()) for one in made]))


def wait_for_ends(deliveries: Sequence[Delivery], ends: Ends) -> list[float]:
    """When the response to each of these events ended; raises TimeoutError."""
    wanted = {one.id for one in deliveries}
    deadline = time.monotonic() + PATIENCE
    while not wanted <= (found := ends()).keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(wanted - found.keys())} responses did not end")
        time.sleep(PAUSE)
    return [found[one.id] for one in deliveries]


def read_responses(on: Stage) -> dict[str, float]:
    """When each response that is done ended, in seconds since the epoch, by the event's id."""
    done = (one for one in on.responses() if one["status"] in ("done", "shadow"))
    return {one["event"]["id"]: datetime.fromisoformat(one["updated"]).timestamp() for one in done}


def read_cpu(on: Stage) -> tuple[float, float, float]:
    """The CPU seconds so far of this process, of the sandbox and of the app."""
    return time.process_time(), read_process_seconds(on.pid), read_process_seconds(int(on.host()["pid"]))


def read_process_seconds(pid: int) -> float:
    """User and system time of a process, all its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _percentiles(what: str, milliseconds: Sequence[float]) -> Iterator[Figure]:
    yield Figure(f"{what}, median", "ms", (median(milliseconds),))
    yield Figure(f"{what}, 99th percentile", "ms", (quantiles(milliseconds, n=100)[98],))


COLUMNS: tuple[tuple[str, Callable[[Round], float | None]], ...] = (
    ("scheduled/s", lambda one: one.scheduled_rate),
    ("p50 ms", lambda one: median(one.answer_times)),
    ("p99 ms", lambda one: quantiles(one.answer_times, n=100)[98]),
    ("finished/s", lambda one: one.finished_rate if one.finished else None),
    ("p50 ms", lambda one: median(one.finish_times) if one.finished else None),
    ("p99 ms", lambda one: quantiles(one.finish_times, n=100)[98] if one.finished else None),
    ("callers", lambda one: one.cpu_each[0]),
    ("sandbox", lambda one: one.cpu_each[1]),
    ("app", lambda one: one.cpu_each[2]),
)


def main() -> None:
    """Print a table in Markdown; the last three columns are CPU milliseconds an event."""
    print("| events | callers | " + " | ".join(name for name, _ in COLUMNS) + " |")
    print("|---" * (2 + len(COLUMNS)) + "|")
    for kind, callers, one in measure():
        cells = (value(one) for _, value in COLUMNS)
        written = ("–" if cell is None else f"{cell:,.1f}" for cell in cells)
        print(f"| {kind} | {callers} | " + " | ".join(written) + " |", flush=True)


if __name__ == "__main__":
    main()
