"""The digest of a rule as a response carries it: a link for an approval is bound to it."""

from collections.abc import Iterable

from mlevents.gates.approve.link import digest_plan
from mlevents.orchestration.messages import Response
from mlevents.orchestration.step_plan import StepPlan


def digest_rule(response: Response, steps: Iterable[StepPlan] | None = None) -> str:
    """The digest of the response's gates, and of its steps unless `steps` are others."""
    chosen = response.steps if steps is None else steps
    return digest_plan(response.rule or "", [step.to_json() for step in chosen], response.gates)
