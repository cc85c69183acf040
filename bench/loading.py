"""What a rule file costs to load, by the number of its rules."""

import subprocess
import sys
from collections.abc import Iterator

from bench.figure import Figure
from sandbox.sandbox_process import ROOT

SIZE, RUNS, BOUND = 10_000, 3, 5.0
PROGRAM = """
import time
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
text = head + "".join(rule % (n, n %% 50, n) for n in range(%d))
started = time.perf_counter()
loaded = load_rules_text(text, Path("rules.yaml"), Settings(environment={"TEAM": "json://localhost"}))
assert len(loaded.rules) == %d
print(time.perf_counter() - started)
"""


def figures() -> Iterator[Figure]:
    """Ten thousand rules of four equalities and one step, in a fresh interpreter each time."""
    yield Figure(f"load {SIZE:,} rules", "s", tuple(loaded() for _ in range(RUNS)), BOUND)


def loaded() -> float:
    """Seconds of one load."""
    program = PROGRAM.replace("%d)", f"{SIZE})").replace("== %d", f"== {SIZE}").replace("%%", "%")
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return float(said)
