"""Tries the text of an event in quarantine again, with the rules and the code of now.

The text is delivered as Event Grid delivers it, so the ids of responses keep it from acting twice. Then the
record of the quarantine is replaced by its next attempt, as in a rerun, with who asked, and what came of it.
"""

from collections.abc import Mapping
from dataclasses import replace

from durabletask.client import OrchestrationState

from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.messages import Response
from mlevents.responses.delivery_plan import DeliveryOutcome
from mlevents.responses.rerun import MOST_PAST, describe_attempt
from mlevents.responses.response_view import known_outcome, read_response

_QUARANTINED = "quarantined"
_MOST_NAMED = 5
_WORDS: Mapping[str, str] = {
    "unmatched": "no rule matches it",
    "refused": "its workspace is not in the rule file",
}


def find_replayable(state: OrchestrationState) -> Response | None:
    """The record of an event in quarantine with its text; None for any other response."""
    response = read_response(state)
    return response if response is not None and response.raw is not None else None


def describe_replay(delivery: DeliveryOutcome) -> str:
    """What the delivery of the text led to, in one line."""
    if is_quarantined(delivery):
        return f"it still cannot be understood: {delivery.responses[0].because}"
    if delivery.decision in _WORDS:
        return _WORDS[delivery.decision]
    names = [one.id for one in delivery.responses]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    begun = "which exist already" if delivery.decision == "redelivered" else "which begin"
    return f"it has the responses {', '.join(names[:_MOST_NAMED])}{more}, {begun}"


def is_quarantined(delivery: DeliveryOutcome) -> bool:
    """Whether the text still cannot be understood."""
    return any(one.status == _QUARANTINED for one in delivery.responses)


def plan_replayed(
    state: OrchestrationState, record: Response, asked: Intervention, delivery: DeliveryOutcome
) -> Response:
    """The next attempt of the record: quarantined as before, or done. Nobody is notified."""
    outcome = known_outcome(state)
    still = is_quarantined(delivery)
    return replace(
        record,
        status=_QUARANTINED if still else "done",
        because=delivery.responses[0].because if still else f"replayed {asked}; {asked.effect}",
        alert=False,
        on_failure=(),
        connections={},
        attempt=1,
        earlier=(),
        unfinished=(),
        log=(*outcome.log, asked),
        reruns=outcome.reruns + 1,
        past=(*record.past, describe_attempt(state))[-MOST_PAST:],
    )
