"""Notifications before a response has ended: what a long restoring of the traffic sends to people."""

from collections.abc import Mapping
from typing import Any

from mlevents.orchestration.step_runner import Call
from mlevents.responses.step_input import begin

NOT_RESTORED = "traffic-not-restored"
"""The template in place of the rule's own, which speak of a rollout that has ended."""


def notices(document: Mapping[str, Any], results: Mapping[str, Any]) -> list[Call]:
    """The calls of those steps of `on_failure` that notify people, to the same receivers.

    Whoever performs them adds the `failure`.
    """
    found = []
    for step in document["on_failure"]:
        if step.get("notifies"):
            message = {"to": step["with"]["to"], "template": NOT_RESTORED}
            call = begin(document, {**step, "with": message}, results=results)
            found.append({**call, "response": {**call["response"], "files": {}, "gates": {}}})
    return found
