"""Subscribe the code to events when it is there; leave workspaces as they were before it goes."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.hooks import key_vault
from infra.hooks.access import places, revoke
from infra.hooks.needs import ArmId, read_needs
from infra.hooks.parameters import own_group, read_parameters
from infra.hooks.preflight import (
    keep_apart,
    leave_out_unknown_types,
    read_filters,
    wanted_functions,
    write_filters,
)
from infra.hooks.programs import INFRA, HookError, az, deploy_template, mlevents, needed, say
from infra.hooks.topics import MACHINE_LEARNING, Topic, find_topic, workspace_topics
from mlevents.errors import ConfigError

STREAMS = INFRA / "streams.json"
"""Subscriptions without code: {"streams": […], "webHooks": […]}. Optional; see events.bicep."""
WAITS = 30
PAUSE = 10.0
DATA_FACTORY = "microsoft.datafactory"
MANAGED_IDENTITY = "microsoft.managedidentity"
ROLE_PROVIDERS = (MACHINE_LEARNING, DATA_FACTORY, MANAGED_IDENTITY)


def subscribe(environment: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
    """Subscribe the functions to the workspaces' events, drop what no rule needs any more, ask the doctor."""
    app = needed(environment, "AZURE_FUNCTION_APP_NAME")
    write_filters(environment)
    leave_out_unknown_types()
    key_vault.refresh(environment, pause)
    wait_for_functions(environment, pause)
    needs = read_needs(environment)
    streams = read_streams()
    topics = [find_topic(workspace, app) for workspace in needs.workspaces]
    parameters: dict[str, Any] = {
        "functionAppId": needed(environment, "MLEVENTS_FUNCTION_APP_ID"),
        "storageName": needed(environment, "MLEVENTS_STORAGE_NAME"),
        "sources": [_source(topic) for topic in topics],
        "filters": read_filters(),
        "labels": dict(needs.labels),
        "actionGroupId": environment.get("MLEVENTS_ACTION_GROUP_ID", ""),
        **streams,
    }
    deploy_template("events.bicep", f"{app}-events", parameters, environment)
    named = (*streams["streams"], *streams["webHooks"])
    wanted = [*wanted_functions(), *(one["name"] for one in named)]
    for topic in topics:
        prune(find_topic(topic.workspace, app), app, wanted)
    detach(environment, keep=set(needs.places))
    ask_doctor(environment)


def read_streams() -> dict[str, Any]:
    """The subscriptions without code, as events.bicep takes them; none when there is no such file.

    The URLs are apart, because a URL often holds a key: no deployment shows a secure parameter.
    """
    written = json.loads(STREAMS.read_text(encoding="utf-8")) if STREAMS.exists() else {}
    hooks = written.get("webHooks", [])
    return {
        "streams": written.get("streams", []),
        "webHooks": [{key: one[key] for key in one if key != "url"} for one in hooks],
        "webHookUrls": {one["name"]: one["url"] for one in hooks},
    }


def wait_for_functions(environment: Mapping[str, str], pause: Callable[[float], None]) -> None:
    """Wait until Azure lists the functions: a subscription to one that it does not know is refused."""
    app, group = needed(environment, "AZURE_FUNCTION_APP_NAME"), needed(environment, "AZURE_RESOURCE_GROUP")
    missing: set[str] = set()
    for _ in range(WAITS):
        listed = az("functionapp", "function", "list", "--name", app, "--resource-group", group)
        missing = set(wanted_functions()) - {one["name"].split("/")[-1] for one in listed}
        if not missing:
            return
        pause(PAUSE)
    raise HookError(
        f"the app '{app}' has no function {', '.join(sorted(missing))} after {WAITS * PAUSE:.0f} s: "
        "look at its traces in Application Insights, deploy the code again, "
        "then run `azd hooks run postdeploy`"
    )


def _source(topic: Topic) -> dict[str, Any]:
    return {
        "workspaceId": topic.workspace.text,
        "location": az("resource", "show", "--ids", topic.workspace.text)["location"],
        "topicName": topic.name,
        "topicResourceGroup": topic.group,
        "topicIsOurs": topic.ours,
    }


def prune(topic: Topic, app: str, wanted: list[str]) -> None:
    """Delete the app's subscriptions that are not wanted (any more)."""
    for name in topic.subscriptions():
        if name.startswith(f"{app}-") and name.removeprefix(f"{app}-") not in wanted:
            say(f"mlevents: deletes the event subscription {name}")
            topic.unsubscribe(name)


def detach(environment: Mapping[str, str], keep: set[ArmId]) -> None:
    """Leave every workspace and factory that the app is attached to, but for those to keep."""
    app = needed(environment, "AZURE_FUNCTION_APP_NAME")
    principal = needed(environment, "MLEVENTS_PRINCIPAL_ID")
    for place in attached(environment, keep):
        if place not in keep:
            leave_place(place, app, principal)


def attached(environment: Mapping[str, str], known: Iterable[ArmId]) -> list[ArmId]:
    """The workspaces and factories that the app has rights on or is subscribed to, as Azure says.

    It asks in the app's subscription, and in those of the places that are known.
    """
    app = needed(environment, "AZURE_FUNCTION_APP_NAME")
    subscriptions = {needed(environment, "AZURE_SUBSCRIPTION_ID"), *(one.subscription for one in known)}
    found = places(sorted(subscriptions), needed(environment, "MLEVENTS_PRINCIPAL_ID"))
    for subscription in sorted(subscriptions):
        for topic in workspace_topics(subscription, app):
            if topic.ours or any(name.startswith(f"{app}-") for name in topic.subscriptions()):
                found.append(topic.workspace)
    return [one for one in dict.fromkeys(found) if one.provider in ROLE_PROVIDERS]


def leave_place(place: ArmId, app: str, principal: str) -> None:
    """Take subscriptions, topic (if the app made it and nobody else uses it) and rights away from a place."""
    say(f"mlevents: leaves {place.text}")
    if place.type == "workspaces":
        topic = find_topic(place, app)
        prune(topic, app, [])
        if topic.ours and topic.exists and not topic.subscriptions():
            topic.delete()
    revoke(place, app, principal)


def leave(environment: Mapping[str, str]) -> None:
    """Before `azd down`: leave every workspace and factory as it was.

    Raises HookError, and leaves none, when one of them would be deleted with our resource group.
    """
    group = environment.get("AZURE_RESOURCE_GROUP") or own_group(environment, read_parameters(environment))
    written = written_places(environment)
    keep_apart(group, environment, written)
    if not environment.get("AZURE_FUNCTION_APP_NAME"):
        say("mlevents: nothing was provisioned, so there is nothing to remove")
        return
    app, principal = environment["AZURE_FUNCTION_APP_NAME"], needed(environment, "MLEVENTS_PRINCIPAL_ID")
    found = dict.fromkeys((*written, *attached(environment, written)))
    keep_apart(group, environment, found)
    for place in found:
        leave_place(place, app, principal)


def written_places(environment: Mapping[str, str]) -> tuple[ArmId, ...]:
    """The workspaces and factories of the rule file; none when it is broken, for leaving must still work."""
    try:
        needs = read_needs(environment)
    except ConfigError:
        say("mlevents: the rule file cannot be read: leaves only the resources that Azure lists")
        return ()
    return needs.places


def ask_doctor(environment: Mapping[str, str]) -> None:
    """Let `mlevents doctor` look at what was deployed, unless MLEVENTS_DOCTOR is off."""
    if environment.get("MLEVENTS_DOCTOR") == "off":
        say("mlevents: MLEVENTS_DOCTOR is off, so nothing was checked after the deployment")
        return
    if mlevents("doctor", environment=environment).returncode != 0:
        raise HookError("everything is deployed, but the doctor found problems (see above)")
