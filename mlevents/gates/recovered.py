"""Act on a run that completed only when the run of its experiment before it had failed.

```yaml
recovered: {within: 7d}
```

The runs of the experiment are read from Azure ML when the response runs, so nothing is missed or counted
twice when events come late, twice, or not at all. Steps, trials and canceled runs do not count.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from mlevents.duration import PositiveDuration, format_duration
from mlevents.events import Event
from mlevents.gates.gate import Gate, Preview, gate
from mlevents.gates.visit import GateVisit, Objection, Visiting
from mlevents.services.permission import ML, READER, WORKSPACE_SCOPE, Permission, actions_below
from mlevents.yamlfile.positions import PathProblem

if TYPE_CHECKING:
    from mlevents.services.machine_learning.run_history import HistoricRun, RunHistory
    from mlevents.services.services import Services

SUCCEEDED, FAILED_BEFORE = "Completed", "Failed"
MOST_RUN_PAGES = 10
"""Pages of runs that are read at most, of a hundred each."""
HISTORY_READS = actions_below(ML, "read", "experiments/read", "experiments/runs/read")


@gate("recovered")
class Recovered(Gate):
    """Act on a run that completed only when the run of its experiment before it had failed."""

    position = 35
    stage = "response"
    given_names: ClassVar[Mapping[str, Any]] = {
        "recovered": {"run": "text", "failed": "text", "failures": "number"}
    }
    permissions: ClassVar[tuple[Permission, ...]] = (Permission(WORKSPACE_SCOPE, READER, HISTORY_READS),)

    within: PositiveDuration
    """how long ago the failed run may have been created, such as `7d`."""

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:  # noqa: ARG003
        if "run" not in names:
            yield "", "the events of this rule have no run: use it with run.completed"

    def preview(self, event: Event, now: datetime) -> Preview:  # noqa: ARG002 - the time changes nothing
        limit = format_duration(self.within)
        return None, f" within {limit}: the runs of the experiment are read when the response runs"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        found = yield from visit.read({"topic": visit.event.topic})
        if objection := found.get("objection"):
            return Objection(str(objection))
        visit.record(f"run '{found['run']}' failed before it")
        visit.give_names({"recovered": dict(found)})
        return None

    def read(
        self, names: Mapping[str, Any], document: Mapping[str, Any], services: "Services", /
    ) -> Mapping[str, Any]:
        runs = services.machine_learning(str(document["topic"])).runs
        run = runs.find_run(str(names["run"].get("id")))
        if run is None or run.status != SUCCEEDED:
            return {"objection": f"the run is {run.status if run else 'gone'} now, wanted {SUCCEEDED}"}
        if run.parent:
            return {"objection": f"the run is part of '{run.parent}'"}
        before = self._list_before(runs, run)
        failed = [one for one in before if one.status == FAILED_BEFORE]
        if not before or before[0] not in failed:
            last = (
                f"'{before[0].id}' completed" if before else f"no run ended in {format_duration(self.within)}"
            )
            return {"objection": f"no run failed before it: {last}"}
        streak = next((n for n, one in enumerate(before) if one.status == SUCCEEDED), len(before))
        return {"run": failed[0].id, "failed": failed[0].changed.isoformat(), "failures": streak}

    def _list_before(self, runs: "RunHistory", run: "HistoricRun") -> "list[HistoricRun]":
        """The runs of the experiment that completed or failed before this one ended, the latest first."""
        experiment = runs.find_experiment(run.experiment_id)
        if experiment is None:
            return []
        found, following = list["HistoricRun"](), None
        for _ in range(MOST_RUN_PAGES):
            page = runs.list_runs(experiment, run.changed - timedelta(seconds=self.within), following)
            found += page.values
            following = page.following
            if not following:
                break
        ended = [
            one
            for one in found
            if one.id != run.id and not one.parent and one.status in (SUCCEEDED, FAILED_BEFORE)
        ]
        earlier = [one for one in ended if (one.changed, one.id) < (run.changed, run.id)]
        return sorted(earlier, key=lambda one: (one.changed, one.id), reverse=True)
