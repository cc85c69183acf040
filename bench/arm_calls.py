"""The requests to Azure Resource Manager that each kind of response makes, from the sandbox's log.

    python -m bench.arm_calls

Reads are GET, writes everything else: so Resource Manager counts them, too.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.storage import RESPONSES, RULES, SPEED
from sandbox.sandbox_process import ROOT, Stage, stage

CONTROL_PLANE = "/subscriptions/"
"""How the paths of Resource Manager begin; other services of Azure ML have addresses of their own."""


def measure_arm_calls() -> Iterator[tuple[str, int, int]]:
    """Each kind of response with its reads and writes; those of a canary include its first deployment."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.yaml"
        rules.write_text(RULES)
        shutil.copytree(ROOT / "deployments", rules.parent / "deployments")
        with stage(rules, SPEED) as on:
            seen = 0
            for kind, respond in RESPONSES.items():
                respond(on)
                methods = list_methods(on)
                reads = methods[seen:].count("GET")
                yield kind, reads, len(methods) - seen - reads
                seen = len(methods)


def list_methods(on: Stage) -> list[str]:
    """The method of each request of the app to Resource Manager, in order."""
    requests = on.requests_seen()
    ours = [one for one in requests if one["who"] == "app" and one["path"].startswith(CONTROL_PLANE)]
    return [one["method"] for one in ours]


if __name__ == "__main__":
    for kind, reads, writes in measure_arm_calls():
        print(f"{kind}: {reads} reads, {writes} writes")
