"""The version of the orchestrators, and the one place where their code may branch on it.

An orchestrator is replayed against the history that an earlier release recorded: an activity, timer, entity
call or sub-orchestration that is added, removed or moved fails it (NonDeterminismError). Such a change

1. raises `CURRENT` here and `defaultVersion` in host.json, by one;
2. is made behind `since(context, "<new version>")`, and the old way is kept next to it;
3. gets a recorded history of the new way (`python -m tests.histories`); the old ones stay and are replayed.

The old way can be removed when no instance of that version runs any more. `versionMatchStrategy` stays
`CurrentOrOlder`: with `Strict`, or without the setting, a running instance fails or hangs.
"""

from durabletask.task import OrchestrationContext

CURRENT = "3"
HOLDS_SINCE = "2"
"""Since this version, a response asks first whether an operator holds its rule."""
FEWER_CALLS_SINCE = "3"
"""Since this version, a response and a rollout make fewer calls of the task hub; see docs/costs.md."""


def since(context: OrchestrationContext, version: str) -> bool:
    """Whether this instance was started by the release of this version, or by a later one."""
    return int(context.version or 0) >= int(version)
