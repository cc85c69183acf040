"""Which of the runs that GitHub lists are those of this step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from mlevents.actions.dispatch_github_workflow.dispatch import KEY_HEAD, Dispatch
from mlevents.errors import PermanentError
from mlevents.services.github.repository import Repository
from mlevents.services.github.workflows import WorkflowRun


@dataclass(frozen=True, slots=True)
class Recognition:
    """The runs of one dispatch; `by_key` says whether their names hold the step's key."""

    runs: tuple[WorkflowRun, ...]
    by_key: bool

    @property
    def reason(self) -> str:
        """How they were recognised, for people."""
        return (
            "recognised by this response's key"
            if self.by_key
            else "recognised by time, branch and actor; it may belong to another response"
        )


def recognise_by_key(dispatch: Dispatch, repository: Repository, since: datetime) -> Recognition:
    """The runs whose name holds the key of the step."""
    runs = dispatch.list_runs(repository, since)
    own = sorted((run for run in runs if dispatch.key in run.title), key=lambda run: run.id)
    return Recognition(tuple(own), by_key=True)


def recognise_by_circumstances(
    dispatch: Dispatch, repository: Repository, since: datetime, before: Collection[int]
) -> Recognition:
    """The runs with the key; else those that fit and are new, of this connection's own actor.

    Raises PermanentError when a workflow has more than one of these: any of them may be the step's.
    """
    runs = list(dispatch.list_runs(repository, since))
    if own := sorted((run for run in runs if dispatch.key in run.title), key=lambda run: run.id):
        return Recognition(tuple(own), by_key=True)
    new = [run for run in runs if run.id not in before and KEY_HEAD not in run.title and dispatch.fits(run)]
    actor = repository.read_actor() if new else None
    fitting = [run for run in new if actor is None or run.actor in (None, actor)]
    if max(Counter(run.workflow for run in fitting).values(), default=0) > 1:
        links = ", ".join(run.link for run in fitting[:5])
        raise PermanentError(
            f"{len(fitting)} runs may be this step's, and none has its key in its name: {links}; "
            "show the input mlevents_response in `run-name` of the workflow"
        )
    return Recognition(tuple(fitting), by_key=False)
