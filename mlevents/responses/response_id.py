"""The ids of responses: a unique id for each rule and event, or for each value of `dedupe`.

An id is a readable prefix and a digest of everything that identifies the response. Each part is preceded by
its length, so no topic, event id or value can imitate another.
"""

import hashlib

from mlevents.canonical import canonical_event_id, canonical_resource_id, join_parts
from mlevents.events import Event
from mlevents.rules.syntax import QUARANTINE, REFUSED


def digest(text: str) -> str:
    """Twenty hexadecimal digits that stand for this text."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:20]


def response_id(rule: str, identity: str) -> str:
    """The id of a rule's response; `identity` is the event's, or that of its value of `dedupe`."""
    return f"{rule}.{digest(join_parts('rule', rule, identity))}"


def part_id(response: str, step: str, reruns: int = 0) -> str:
    """How the ids of the orchestrations of one step begin, after so many reruns of its response."""
    return f"{response}.{step}.rerun-{reruns}" if reruns else f"{response}.{step}"


def refused_id(event: Event) -> str:
    """The id under which an event from a foreign workspace is recorded."""
    topic, event_id = canonical_resource_id(event.topic), canonical_event_id(event.id)
    return f"{REFUSED}.{digest(join_parts(REFUSED, topic, event_id))}"


def quarantine_id(raw: str) -> str:
    """The id under which the text of an event that cannot be understood is kept."""
    return f"{QUARANTINE}.{digest(join_parts(QUARANTINE, raw))}"
