"""A scene of the demo, and what several scenes do."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import TextIOWrapper

from rich.console import Console

from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import Stage

CONSOLE = Console(highlight=False, width=None if sys.stdout.isatty() else 80)
if isinstance(sys.stdout, TextIOWrapper):
    sys.stdout.reconfigure(errors="backslashreplace")  # a pipe on Windows has no ✓
GUID = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
FRAUD = {"stage": "production", "accuracy": "0.95"}


@dataclass(frozen=True)
class Scene:
    """A scene: what happened, which rule responded, the outcome, and whether it is as expected."""

    event: str
    rule: str
    outcome: str
    right: bool

    def with_check(self, outcome: str, right: bool) -> "Scene":
        """The same scene with the result of one more check."""
        line = outcome if right else f"not as expected: {outcome}"
        return replace(self, outcome=f"{self.outcome}\n{line}", right=self.right and right)


Play = Callable[[Stage], Scene]


def check_response(event: str, found: list[Json], wanted: str = "done") -> Scene:
    """The scene of an event that must have exactly one response, with the wanted status."""
    one = found[0]
    steps = [f"{step['uses']}: {step['detail']}" for step in one["steps"][:1] if not one["because"]]
    outcome = "\n".join([f"{one['status']}" + (f": {one['because']}" if one["because"] else ""), *steps])
    return Scene(
        event, one["rule"] or "—", GUID.sub(r"\1…", outcome), len(found) == 1 and one["status"] == wanted
    )


def register(on: Stage, version: str, tags: dict[str, str]) -> None:
    """Register a model with Azure ML's own SDK, as the last step of a training pipeline does."""
    from azure.ai.ml.entities import Model

    path = f"azureml://jobs/train-{version}/outputs/artifacts/paths/model"
    model = Model(name="fraud-net", version=version, tags=tags, type="mlflow_model", path=path)
    on.azure_ml().models.create_or_update(model)
