"""How many responses led to a model or a run that has no tag of ours, by the jobs that it comes from.

```yaml
lineage: true
```

What a job registers, and what the steps of a job are, lacks the tags that mlevents gave the job. So the job
that registered the model is read, then the job's parent and its root, until one has the tag
`mlevents.depth`. A chain that is too deep stops, as it does for an event with the tag. A rule whose steps
may cause its own events has this gate by itself; `lineage: false` removes it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import RootModel

from mlevents.errors import PermanentError
from mlevents.events import Event, read_depth
from mlevents.gates.gate import AnyGate, Preview, gate
from mlevents.gates.visit import GateVisit, Objection, Visiting
from mlevents.services.permission import ML, READER, WORKSPACE_SCOPE, Permission, actions_below
from mlevents.yamlfile.positions import PathProblem

if TYPE_CHECKING:
    from mlevents.services.machine_learning.run_history import RunHistory
    from mlevents.services.machine_learning.workspace_client import MachineLearning
    from mlevents.services.services import Services

MOST_RUNS = 4
"""How many runs are read at most: the job, its parent, its root, and the root of the parent."""
SUBJECTS = ("model", "run")
READS = actions_below(ML, "read", "models/versions/read", "experiments/runs/read")


@gate("lineage")
class Lineage(RootModel[bool], AnyGate):
    """Read by which job a model or a run came about, and stop a chain of responses that is too deep."""

    position = 25
    stage = "response"
    permissions: ClassVar[tuple[Permission, ...]] = (Permission(WORKSPACE_SCOPE, READER, READS),)

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:
        if written is True and not any(subject in names for subject in SUBJECTS):
            yield "", "the events of this rule have neither a model nor a run: remove it"

    def preview(self, event: Event, now: datetime) -> Preview:  # noqa: ARG002 - the time changes nothing
        return None, " of the model or run: read from Azure ML when the response runs"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        if not self.root or visit.event.depth:
            return None  # the event itself says it
        found = yield from visit.read({"topic": visit.event.topic})
        depth, most = int(found["depth"]), int(found["max_depth"])
        if depth >= most:
            return Objection(
                f"this event comes by run '{found['run']}' from a chain of {depth} responses that caused one "
                f"another: break the loop with a condition, or raise MLEVENTS_MAX_DEPTH above {most}",
                notify=True,
            )
        visit.deepen(depth + 1)
        known = f"run '{found['run']}' is at depth {depth}" if depth else "no response led to it"
        visit.record(str(found.get("unknown") or known))
        return None

    def read(
        self, names: Mapping[str, Any], document: Mapping[str, Any], services: "Services", /
    ) -> Mapping[str, Any]:
        most = {"max_depth": services.settings.max_depth}
        try:
            workspace = services.machine_learning(str(document["topic"]))
            run, depth = _find_depth(_find_run(names, workspace), workspace.runs)
        except PermanentError as error:  # the budget is left, so this alone does not end the response
            return {"depth": 0, "run": "", "unknown": f"the lineage is unknown: {error}", **most}
        return {"depth": depth, "run": run, **most}


def _find_run(names: Mapping[str, Any], workspace: "MachineLearning") -> str:
    """The run of the event, or the job that registered its model; empty for none."""
    if "model" not in names:
        return str((names.get("run") or {}).get("id") or "")
    model = names["model"]
    found = workspace.models.find_version(str(model.get("name")), str(model.get("version")))
    return found.job if found else ""


def _find_depth(first: str, runs: "RunHistory") -> tuple[str, int]:
    """The nearest run with the tag, and its depth; 0 when none has it."""
    ahead, asked = [first], set[str]()
    while ahead and len(asked) < MOST_RUNS:
        name = ahead.pop(0)
        if not name or name in asked:
            continue
        asked.add(name)
        if found := runs.find_run(name):
            if depth := read_depth(found.tags):
                return name, depth
            ahead += [found.parent, found.root]
    return first, 0
