"""What a canary with two steps asks of the storage account: by its first step, and by how fast Azure is.

    python -m bench.canary

A step of a minute has no checks: Azure Monitor would have no verdict by then. Each canary replaces a version
that was deployed before, and is counted alone, as `bench.storage` counts.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.figure import Figure
from bench.storage import Recorded, count_work, measure_instances, record_histories, run_canary
from sandbox.azure.machine_learning import deployments, endpoints
from sandbox.sandbox_process import ROOT

STEPS = {"1m": "", "10m": "checks: [{metric: error_rate, max: 0.5}], min_requests: 1"}
"""The time of each first step, and the checks of its rollout."""
RULE = """
  - id: canary-{time}
    event: model.registered
    where: {{model: {{name: canary-{time}}}}}
    do:
      - uses: deploy_model
        with:
          endpoint: canary-{time}
          template: deployments/small.yaml
          rollout: {{steps: [{{percent: 10, for: {time}}}, {{percent: 100}}], {checks}}}
"""
OPERATIONS = ("CREATE", "UPDATE", "SCALE", "DELETE")
"""How the stand-in of Azure ML names the seconds of its operations."""
AT_ONCE = 1


def figures() -> Iterator[Figure]:
    """The requests of each canary."""
    for name, instances in measure_canaries().items():
        yield Figure(f"storage: canary, {name}", "requests", (measure_instances(instances).requests,))


def measure_canaries() -> dict[str, Recorded]:
    """The histories of each canary: in Azure's usual time, and where it completes each operation at once."""
    found = {f"a step of {time}": one for time, one in run_canaries().items()}
    with complete_at_once():
        return found | {f"a step of {time}, Azure at once": one for time, one in run_canaries().items()}


def run_canaries() -> Mapping[str, Recorded]:
    """The histories of one canary for each step."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.yaml"
        written = (RULE.format(time=time, checks=checks) for time, checks in STEPS.items())
        rules.write_text("version: 1\nrules:" + "".join(written))
        shutil.copytree(ROOT / "deployments", rules.parent / "deployments")
        kinds = {time: partial(run_canary, model=f"canary-{time}") for time in STEPS}
        return asyncio.run(record_histories(rules, kinds))


@contextmanager
def complete_at_once() -> Iterator[None]:
    """Meanwhile, the stand-in of Azure ML takes a second for each operation."""
    modules = (deployments, endpoints)
    kept = [(one, name, getattr(one, name)) for one in modules for name in OPERATIONS if hasattr(one, name)]
    try:
        for module, name, _ in kept:
            setattr(module, name, AT_ONCE)
        yield
    finally:
        for module, name, seconds in kept:
            setattr(module, name, seconds)


def main() -> None:
    """Print a table."""
    print("| canary | E | A | T | R | requests |")
    for name, instances in measure_canaries().items():
        numbers = (*count_work(instances), measure_instances(instances).requests)
        print(f"| {name} | " + " | ".join(map(str, numbers)) + " |")


if __name__ == "__main__":
    main()
