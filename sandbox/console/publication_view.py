"""What came of the latest events: where Event Grid delivered them, and the responses that they started."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from mlevents.errors import EventError
from mlevents.events import parse
from sandbox.event_grid.publication_journal import DELIVERED, DROPPED, PENDING, DeliveryRecord, Publication

PATIENCE = ClientTimeout(total=5)
RESPONSES = 200
WORDS = {DELIVERED: "delivered to {}", DROPPED: "dropped by the filter of {}", PENDING: "on its way to {}"}


async def read_responses(api: str, key: str) -> list[dict[str, Any]]:
    """The app's latest responses, read with a function key; none while it does not answer."""
    headers = {"x-functions-key": key} if key else {}
    try:
        async with (
            ClientSession(timeout=PATIENCE) as session,
            session.get(f"{api}/v1/responses", params={"limit": str(RESPONSES)}, headers=headers) as answer,
        ):
            return list((await answer.json())["responses"]) if answer.status == 200 else []
    except (ClientError, TimeoutError, ValueError, LookupError):
        return []


def describe_publications(
    publications: Iterable[Publication], responses: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Each event for a template, with its deliveries in words and its responses."""
    by_event: dict[str, list[Mapping[str, Any]]] = {}
    for one in responses:
        by_event.setdefault(str(one["event"]["id"]), []).append(one)
    return [_describe(one, by_event.get(str(one.event.get("id")), [])) for one in publications]


def _describe(publication: Publication, responses: list[Mapping[str, Any]]) -> dict[str, Any]:
    event = publication.event
    try:
        parsed = parse(event)
        kind, subject = parsed.kinds[-1] if parsed.kinds else parsed.type, parsed.subject
    except EventError:
        kind, subject = str(event.get("eventType") or event.get("type") or ""), str(event.get("subject", ""))
    return {
        "number": publication.number,
        "kind": kind,
        "subject": subject,
        "short": subject.rpartition("/")[2] or subject,
        "time": publication.time.isoformat(timespec="seconds"),
        "clock": publication.time.strftime("%H:%M:%S"),
        "deliveries": [_describe_delivery(one) for one in publication.deliveries],
        "responses": responses,
        "delivered": any(one.state == DELIVERED for one in publication.deliveries),
    }


def _describe_delivery(delivery: DeliveryRecord) -> dict[str, str]:
    words = WORDS.get(delivery.state, "a dead letter: {} did not accept it").format(delivery.function)
    if delivery.because:
        words += f", which takes {delivery.because}"
    if delivery.state == PENDING and delivery.attempts:
        answer = f"answered {delivery.status}" if delivery.status > 0 else "did not answer"
        words += f": attempt {delivery.attempts} {answer}, Event Grid will try again"
    return {"state": delivery.state, "words": words}
