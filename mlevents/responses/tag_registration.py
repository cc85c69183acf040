"""The tags with which a version is registered, so that what is tagged before the first look is a change."""

from datetime import datetime

from durabletask.client import AsyncTaskHubGrpcClient

from mlevents.errors import EventError
from mlevents.events import parse
from mlevents.events.model_registered import ModelRegistered
from mlevents.responses.model_tags import REGISTER, find_version_group, write_registration
from mlevents.responses.tag_record import format_time
from mlevents.rules.model import Rules
from mlevents.rules.tag_scope import find_tag_scope
from mlevents.settings import Settings


async def record_registration(
    raw: str, rules: Rules, settings: Settings, client: AsyncTaskHubGrpcClient, now: datetime
) -> None:
    """Remember the tags in the event of a registration, where a rule asks for their changes.

    Raises if that fails, so the event is redelivered.
    """
    scope = find_tag_scope(rules)
    if settings.mode == "disabled" or not scope.conditions:
        return
    try:
        event = parse(raw)
    except EventError:
        return
    model, version = event.names.get("model", {}), event.names.get("model", {}).get("version")
    if event.type != ModelRegistered.kind or not version or not rules.allows(event.topic):
        return
    if not scope.covers(event.topic, model["name"]):
        return
    at = min(now, datetime.fromisoformat(event.time)) if event.time else now  # our clock, as for looks
    text = write_registration(version, model["tags"], format_time(at))
    await client.signal_entity(find_version_group(event.topic, model["name"], version).entity, REGISTER, text)
