"""The calls to Azure that a whole rollout makes, in order: none is made twice without a reason.

How often something is polled depends on Azure's time, so looks that follow each other count as one.
"""

import json
import re

from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import PLAN, call

TWO_STEPS = {key: value for key, value in PLAN.items() if key != "mirror"}
NO_ENDPOINT = ("read endpoint", "list endpoints")
DEPLOYMENT = (
    *("read deployment", "read endpoint", "list deployments"),  # Azure's 404 is not trusted
    *("put deployment", "read deployment", "read endpoint"),
)
SMOKE_TEST = ("read endpoint", "read deployment", "read key", "score")
SHIFT = (
    *("read endpoint", "read deployment"),
    *("read endpoint", "put traffic"),  # read again just before it is replaced: Azure ML has no ETag
    "read endpoint",
)
LOOK = ("read endpoint", "read deployment", "read metrics")
RETIRE = ("list deployments", "read endpoint")
DISCARD = (
    *("read deployment", "read log", "read deployment", "read endpoint", "delete deployment"),
    *("read deployment", "read endpoint", "list deployments"),
)


def collapse(calls: tuple[str, ...]) -> tuple[str, ...]:
    """Each look once where it was repeated, without the names of what was written."""
    text = "".join(f"{' '.join(call.split()[:2])}\n" for call in calls)
    for block in (LOOK, ("read deployment",), ("read endpoint",)):
        one = "".join(f"{call}\n" for call in block)
        text = re.sub(f"(?:{one})+", one, text)
    return tuple(text.splitlines())


def roll_out(at: World) -> tuple[str, tuple[str, ...]]:
    answer = json.loads(Durable(at).run(roll_out_model, call(TWO_STEPS)))
    return answer["kind"], collapse(tuple(at.calls))


def test_a_first_deployment_looks_ahead_then_three_times_and_writes_three_times() -> None:
    wanted = (
        *(*NO_ENDPOINT * 4, "put endpoint", "read endpoint", "list deployments"),
        *(*DEPLOYMENT, *SMOKE_TEST, *SHIFT, *RETIRE),
    )
    assert roll_out(World()) == ("done", collapse(wanted))


def test_a_rollout_reads_its_endpoint_once_before_it_creates_a_deployment() -> None:
    steps = (*SHIFT, *LOOK, *SHIFT, *LOOK, *SHIFT)
    wanted = ("read endpoint", *DEPLOYMENT, *SMOKE_TEST, *steps, *RETIRE)
    assert roll_out(serving({"net-1": 100})) == ("done", collapse(wanted))


def test_a_rollback_writes_the_old_traffic_and_deletes_the_deployment() -> None:
    there_and_back = (*SHIFT, *LOOK, *SHIFT)
    wanted = ("read endpoint", *DEPLOYMENT, *SMOKE_TEST, *there_and_back, *DISCARD)
    at = serving({"net-1": 100}, errors={"9": 0.5})
    assert roll_out(at) == ("failed", collapse(wanted))
