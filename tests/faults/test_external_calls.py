"""Every call of Azure by every action meets every fault once, over TLS, with the real SDKs.

A response ends exactly once, and it starts at most one run; a rollout leaves the old or the new traffic, and
nobody holds its endpoint. What passes fails no step.
"""

import json
import os
import random
from collections.abc import Iterator
from itertools import product

import pytest

from mlevents.services.azure_credential import CLIENT_OPTIONS
from mlevents.services.services import Services
from tests.faults.azure_run import STEPS, AzureRun, Run
from tests.faults.fault_table import EXTERNAL, PASSING, PATIENCE
from tests.sandbox.arm_server import Server, services_of, serving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
SEED = 14
MOST_ROLLOUTS = 48
"""Of the pairs of a call and a fault, so many are tried in a rollout, unless MLEVENTS_FAULTS is `all`."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("ca")) as running:
        yield running


@pytest.fixture
def services(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setitem(CLIENT_OPTIONS, "read_timeout", PATIENCE)
    with services_of(server, monkeypatch) as found:
        yield found


def check_end(kind: str, run: Run, passing: bool) -> None:
    assert run.end == "done" or (run.end == "failed" and not passing), run
    if kind == "deployment":
        assert run.traffic == ({"2": 100} if run.end == "done" else {"1": 100}), run
    else:
        assert run.started == 1 or (run.end == "failed" and run.started == 0), run
    for text in run.entities.values():
        state = json.loads(text)
        assert (state["holder"], state["waiting"]) == (None, {}), run


def pairs(kind: str, calls: int) -> list[tuple[int, str]]:
    """Each number of a call with each fault; of those of a rollout, a seeded sample."""
    found = list(product(range(calls), EXTERNAL))
    if kind != "deployment" or os.environ.get("MLEVENTS_FAULTS") == "all":
        return found
    return random.Random(SEED).sample(found, MOST_ROLLOUTS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", STEPS)
def test_every_call_meets_every_fault(kind: str, server: Server, services: Services) -> None:
    on = AzureRun(server, services)
    on.run(kind)  # the first call of each SDK reads its metadata
    calm = on.run(kind)
    check_end(kind, calm, passing=True)
    for skip, name in pairs(kind, calm.calls):
        run = on.run(kind, EXTERNAL[name], skip)
        try:
            check_end(kind, run, passing=name in PASSING)
        except AssertionError as error:
            raise AssertionError(f"call {skip + 1} of {calm.calls} meets {name}") from error


@pytest.mark.parametrize("kind", STEPS)
def test_each_activity_may_run_twice_at_every_point(kind: str, server: Server, services: Services) -> None:
    on = AzureRun(server, services)
    number = on.run(kind).activities
    for twice in (*({one} for one in range(1, number + 1)), range(1, 1000)):
        check_end(kind, on.run(kind, twice=twice), passing=True)
