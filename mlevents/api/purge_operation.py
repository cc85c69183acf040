"""The verb of operators for what has ended: purge it before its retention is over."""

import logging
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from mlevents.api.caller import identify_caller
from mlevents.api.intervention_operations import LONGEST_VERB_REASON
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, RequestBody, operation
from mlevents.duration import Duration, format_duration
from mlevents.responses.retention import Purger
from mlevents.rules.model import Rules
from mlevents.rules.retention_check import REDELIVERY

log = logging.getLogger("mlevents")


class PurgeBody(RequestBody):
    """What is purged: what ended longer ago than this; without it, the retention of the rule file is used."""

    older_than: Duration | None = None
    reason: Annotated[str, Field(max_length=LONGEST_VERB_REASON)] = ""


@dataclass(frozen=True, slots=True)
class PurgeView:
    """What one batch purged, by kind: `response`, `part` (of a response) and `entity`.

    `older_than` is in seconds. `complete` is false where there may be more: ask once more.
    """

    older_than: float
    purged: dict[str, int] = field(default_factory=dict)
    complete: bool = True


@operation("PurgeEnded", body=PurgeBody, answer=PurgeView, errors=(409,))
async def purge_ended(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Purge responses that ended long ago: one batch, as the timer does it.

    `older_than` must be longer than a day and each `max_age` together: while an event may be delivered again,
    its response must be stored. Events in quarantine are kept three times as long.
    """
    rules = app.rules()
    wanted, least = request.body.older_than, find_shortest_retention(rules)
    if wanted is not None and wanted <= least:
        raise ApiError(
            409,
            f"older_than is {format_duration(wanted)}: give more than {format_duration(least)}, for which an "
            "event may be delivered again and act",
        )
    retention = rules.defaults.retention if wanted is None else wanted
    purged = await Purger(app.client, app.now, retention).purge()
    who, why = identify_caller(request.headers), " ".join(request.body.reason.split()) or "no reason given"
    log.info("purge of what ended %s ago, by %s: %s", format_duration(retention), who, why)
    instances = purged["response"] + purged["part"]
    return ApiAnswer({"older_than": retention, "purged": dict(purged), "complete": not instances})


def find_shortest_retention(rules: Rules) -> float:
    """The seconds for which a response is needed: Event Grid's day, after each `max_age`."""
    return REDELIVERY + max([rule.max_age or 0.0 for rule in rules.rules], default=0.0)
