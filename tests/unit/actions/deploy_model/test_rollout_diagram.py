"""The state diagram in docs/rollouts.md is what the orchestrator does: no arrow missing, none too many."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import Trouble, World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import OLD, PLAN, SCENES, call, calls_of, world

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "rollouts.md"
ARROW = re.compile(r"^\s+(\S+) --> (\S+)", re.MULTILINE)
Arrow = tuple[str, str]


def state(phase: str) -> str:
    """A phase as the diagram calls it."""
    if phase.startswith("mirror"):
        return "mirror"
    return "step" if phase.endswith("%") else phase.replace(" ", "_").replace("-", "_")


def arrows(at: World, text: str) -> set[Arrow]:
    """The way that one rollout took."""
    answer: dict[str, Any] = json.loads(Durable(at).run(roll_out_model, text))
    told = answer.get("report") or answer["result"]
    way = ["[*]", "turn", *(state(phase["phase"]) for phase in told["phases"]), answer["kind"], "[*]"]
    return set(pairwise(way))


def taken() -> set[Arrow]:
    """Every way that a rollout takes when one call of Azure is refused, and where gates or people object."""
    ordered = call(PLAN, order={"key": "net", "by": "0"})
    found = arrows(serving(OLD), ordered)
    for number in range(1, 8):
        trouble = Trouble(number, "forbidden")
        found |= arrows(serving(OLD, trouble=trouble), ordered) | arrows(World(trouble=trouble), call())
    for scene in SCENES:
        for number in range(len(calls_of(scene)) + 1):
            found |= arrows(world(scene, Trouble(number, "forbidden")), call())
    for less in ("smoke_test", "mirror"):
        found |= arrows(serving(OLD), call({name: value for name, value in PLAN.items() if name != less}))
    plain = {name: value for name, value in PLAN.items() if name not in ("smoke_test", "mirror")}
    found |= arrows(serving(OLD), call(plain)) | arrows(World(), call()) | arrows(World(), call(None))
    quiet = serving(OLD)
    quiet.rate = 0.0
    return found | arrows(quiet, call())


def test_the_diagram_shows_every_way_that_a_rollout_takes() -> None:
    diagram = DOCUMENT.read_text(encoding="utf-8").split("```mermaid")[1].split("```")[0]
    assert set(ARROW.findall(diagram)) == taken()
