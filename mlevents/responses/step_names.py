"""What the expressions of a step may read when it runs."""

from contextlib import suppress
from typing import Any

from mlevents.actions.deployed_endpoint import read_endpoint
from mlevents.errors import ConfigError
from mlevents.events.studio_links import ENDPOINT, LINK, TENANT
from mlevents.orchestration.messages import Call
from mlevents.services.console_links import make_response_link
from mlevents.settings import Settings


def find_step_names(call: Call, settings: Settings) -> dict[str, Any]:
    """The event's names, the results of earlier steps, and what is known of the response itself."""
    response = call.response
    own = {"id": response.id, "rule": response.rule or ""}
    with suppress(ConfigError):  # the address of the app is unknown: then `response.link` is missing
        own[LINK] = make_response_link(settings, response.id)
    names = {**response.event.names, "steps": call.results, "response": own}
    if call.failure:
        names["failure"] = {**call.failure.to_json(), "rule": response.rule, "response": response.id}
    if endpoint := read_endpoint(names):
        names[ENDPOINT] = endpoint
    return names | {TENANT: settings.values.get("AZURE_TENANT_ID", "")}
