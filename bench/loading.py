"""What a rule file costs to load, in time of the processor and in memory.

python -m bench.loading
"""

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from bench.figure import Figure
from sandbox.sandbox_process import ROOT

SIZE, RUNS, BOUND = 10_000, 3, 3.0
PROGRAM = """
import sys, time, tracemalloc
from pathlib import Path
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings

head = '''version: 1
connections: {team: {type: apprise, url: {setting: TEAM}}}
rules:
'''
rule = '''  - id: r%d
    event: model.registered
    where: {model: {name: model-%d, tags: {stage: production, team: team-%d, tier: gold}}}
    do: [{uses: notify, with: {to: team, subject: "${model.name}", text: registered}}]
'''
size, what = int(sys.argv[1]), sys.argv[2]
text = head + "".join(rule % (n, n % 50, n) for n in range(size))
if what == "memory":
    tracemalloc.start()
started = time.process_time()
loaded = load_rules_text(text, Path("rules.yaml"), Settings(environment={"TEAM": "json://localhost"}))
seconds = time.process_time() - started
assert len(loaded.rules) == size
print(tracemalloc.get_traced_memory()[0] / 1e6 if what == "memory" else seconds)
"""


def figures() -> Iterator[Figure]:
    """Ten thousand rules of four equalities and one step, in a fresh interpreter each time."""
    yield Figure(f"load {SIZE:,} rules", "s", tuple(measure("seconds") for _ in range(RUNS)), BOUND)
    yield Figure(f"memory of {SIZE:,} rules", "MB", (measure("memory"),))


def measure(what: str) -> float:
    """The `seconds` of one load, or the megabytes of `memory` that the rules and our modules take."""
    command = [sys.executable, "-c", PROGRAM, str(SIZE), what]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout)


def main() -> None:
    """Print the time and the memory."""
    print(f"{SIZE:,} rules: {median(measure('seconds') for _ in range(RUNS)):.2f} s", end=", ")
    print(f"{measure('memory'):.0f} MB")


if __name__ == "__main__":
    main()
