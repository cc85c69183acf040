"""Why Event Grid would not deliver an event."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlevents.canonical import fold
from mlevents.eventgrid.filter_evaluation import is_delivered
from mlevents.eventgrid.subscription_filters import SubscriptionFilter
from mlevents.events.event_functions import function_of, is_own_type

_TYPES = ("eventtype", "type", "event_type")


def explain_rejection(filters: Mapping[str, SubscriptionFilter], document: Mapping[str, Any]) -> str | None:
    """The filter and the clause that reject an event as sent by Azure; None if Event Grid delivers it."""
    if is_delivered(filters, document):
        return None
    members = {fold(key): value for key, value in document.items()}
    said = next((str(kind) for key in _TYPES if (kind := members.get(key))), "")
    if is_own_type(said):
        return None  # mlevents itself publishes it to its rules
    function = function_of(said)
    if function is None or function not in filters:
        return f"no function has the event type '{said}'"
    return f"{_fact(filters[function], document, function)}"


def _fact(one: SubscriptionFilter, document: Mapping[str, Any], function: str) -> str:
    if not one.types:
        return f"no rule needs events of {function}, so the function has no subscription"
    if one.subject and not is_delivered({function: replace(one, clauses=())}, document):
        return f"the filter of {function} requires a subject that begins with '{one.subject}'"
    bare = replace(one, subject="")
    for clause in one.clauses:
        if not is_delivered({function: replace(bare, clauses=(clause,))}, document):
            values = ", ".join(map(str, clause.values))
            return f"the filter of {function} requires {clause.key} {clause.operator} {values}".rstrip()
    return f"the filter of {function} rejects it"
