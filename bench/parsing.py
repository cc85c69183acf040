"""What one event costs to parse, by its type.

    python -m bench.parsing

Each text is another event, because equal texts are parsed once.
"""

import json
import time
from collections.abc import Iterator
from statistics import median

from bench.figure import Figure
from mlevents.events import parse
from sandbox.sandbox_process import ROOT

EVENTS = {
    "model registered": "model-registered-event-grid",
    "model deployed": "model-deployed-event-grid",
    "run completed": "run-completed-mixed-case",
    "step of a pipeline": "run-status-changed-step",
    "AutoML child": "run-completed-automl-child",
    "dataset drift": "drift-detected-event-grid",
    "breach of a monitor": "run-status-changed-breach",
}
"""The files in tests/data/events."""
ROUNDS, CALLS = 20, 500


def figures() -> Iterator[Figure]:
    """One event of each type."""
    for name in EVENTS:
        yield Figure(f"parse one event: {name}", "µs", tuple(measured(name)))


def measured(name: str) -> Iterator[float]:
    """The microseconds of the processor for one event, in each round."""
    sample = (ROOT / f"tests/data/events/{EVENTS[name]}.json").read_text()
    found = json.loads(sample)
    [event] = found if isinstance(found, list) else [found]
    texts = [json.dumps(event | {"id": f"event-{number}"}) for number in range(CALLS)]
    for _ in range(ROUNDS):
        started = time.process_time()
        for text in texts:
            parse(text)
        yield (time.process_time() - started) / CALLS * 1e6


def main() -> None:
    """Print a line for each type."""
    for name in EVENTS:
        print(f"{name:<24}{median(measured(name)):>8.1f} µs")


if __name__ == "__main__":
    main()
