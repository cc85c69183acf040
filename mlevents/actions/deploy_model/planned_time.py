"""How long a rollout may take, as its lease declares."""

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.actions.deploy_model.progress import Phase
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.orchestration.lease import SLACK
from mlevents.orchestration.step_runner import DEFAULT_TIMEOUT


def planned_seconds(run: RolloutRun, *verbs: RolloutVerb, phase: Phase | None = None) -> float:
    """How many seconds these verbs, and the watching of a phase, may take in all."""
    known = run.progress.timeouts
    limits = [known.get(verb.timeout_name) if verb.timeout_name else None for verb in verbs]
    watched = run.longest(phase) if phase else 0.0
    return sum(limit or DEFAULT_TIMEOUT for limit in limits) + watched


def planned_in_all(run: RolloutRun) -> float:
    """How many seconds the complete rollout may take, as far as it is planned; some more for each phase."""
    if not run.progress.plan:
        return DEFAULT_TIMEOUT
    phases = (planned_seconds(run, phase.verb, phase=phase) + SLACK for phase in run.progress.plan)
    return planned_seconds(run, RolloutVerb.CREATE_DEPLOYMENT) + sum(phases)
