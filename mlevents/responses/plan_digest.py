"""The digest of a rule as a response carries it: a link for an approval is bound to it."""

from mlevents.gates.approve.link import digest_plan
from mlevents.orchestration.messages import Response


def digest_rule(response: Response, step: str = "") -> str:
    """The digest of the response's steps and gates, or of this step alone.

    A gate may change the parameters of later ones, so a step, which runs after them, counts without gates.
    """
    steps = [one.to_json() for one in response.steps if step in ("", one.id)]
    return digest_plan(response.rule or "", steps, {} if step else response.gates)
