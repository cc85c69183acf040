"""What a scene of the demo is, and what several of them do."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from rich.console import Console

from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import Stage

CONSOLE = Console(highlight=False, width=None if sys.stdout.isatty() else 80)
GUID = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
FRAUD = {"stage": "production", "accuracy": "0.95"}


@dataclass(frozen=True)
class Scene:
    """A scene: what happened, which rule answered, what came of it, and whether it is right."""

    event: str
    rule: str
    outcome: str
    right: bool

    def also(self, outcome: str, right: bool) -> "Scene":
        """The same scene, knowing more."""
        said = outcome if right else f"NOT: {outcome}"
        return replace(self, outcome=f"{self.outcome}\n{said}", right=self.right and right)


Play = Callable[[Stage], Scene]


def told(event: str, found: list[Json], wanted: str = "done") -> Scene:
    """The scene of an event with exactly one response, which must have ended as wanted."""
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
