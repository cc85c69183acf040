"""System topics: a workspace can have only one, ours or someone else's."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from infra.hooks.needs import ArmId
from infra.hooks.programs import HookError, az

MARK = "mlevents-app"
"""The tag that says which app made a topic."""
DIGITS = 8
LONGEST = 50 - len("mlevents--") - DIGITS
MACHINE_LEARNING = "microsoft.machinelearningservices"


@dataclass(frozen=True, slots=True)
class Topic:
    """The system topic of a workspace, as it is or as it is to be made."""

    workspace: ArmId
    name: str
    group: str
    ours: bool
    exists: bool

    @property
    def place(self) -> tuple[str, ...]:
        """The words that say where it is."""
        return ("--resource-group", self.group, "--subscription", self.workspace.subscription)

    def subscriptions(self) -> list[str]:
        """The names of its event subscriptions."""
        if not self.exists:
            return []
        words = ("eventgrid", "system-topic", "event-subscription", "list")
        return [one["name"] for one in az(*words, "--system-topic-name", self.name, *self.place)]

    def unsubscribe(self, name: str) -> None:
        """Delete one event subscription."""
        words = ("eventgrid", "system-topic", "event-subscription", "delete", "--name", name)
        az(*words, "--system-topic-name", self.name, *self.place, "--yes")

    def delete(self) -> None:
        """Delete the topic itself."""
        az("eventgrid", "system-topic", "delete", "--name", self.name, *self.place, "--yes")


def find_topic(workspace: ArmId, app: str) -> Topic:
    """The workspace's system topic, or the one to make; raises HookError when it cannot be used.

    A topic without an identity of its own cannot write dead letters, and events would be lost.
    """
    for topic in workspace_topics(workspace.subscription, app):
        if topic.workspace == workspace:
            return replace(topic, workspace=workspace)
    return Topic(workspace, topic_name(workspace), workspace.group, ours=True, exists=False)


def topic_name(workspace: ArmId) -> str:
    """What we name a topic: of two workspaces with one name each has its own. At most 50 characters."""
    digest = hashlib.sha256(workspace.text.casefold().encode()).hexdigest()[:DIGITS]
    return f"mlevents-{workspace.name[:LONGEST]}-{digest}".replace("_", "-")


def workspace_topics(subscription: str, app: str) -> list[Topic]:
    """The system topics of a subscription's workspaces."""
    listed = az("eventgrid", "system-topic", "list", "--subscription", subscription)
    found = [(ArmId(one["source"]), one) for one in listed]
    return [
        _found(one, source, app)
        for source, one in found
        if len(source.text.split("/")) > 8 and source.provider == MACHINE_LEARNING
    ]


def check_identity(topic: Topic) -> None:
    """Raise HookError when someone else's topic cannot write dead letters."""
    if topic.ours:
        return
    found = az("eventgrid", "system-topic", "show", "--name", topic.name, *topic.place)
    if "SystemAssigned" not in ((found.get("identity") or {}).get("type") or ""):
        raise HookError(
            f"the system topic '{topic.name}' of the workspace '{topic.workspace.name}' has no identity, "
            "so events that cannot be delivered would be lost. Assign one:\n"
            f"  `az eventgrid system-topic update --name {topic.name} --resource-group {topic.group} "
            f"--subscription {topic.workspace.subscription} --identity systemassigned`"
        )


def _found(topic: dict[str, Any], workspace: ArmId, app: str) -> Topic:
    ours = (topic.get("tags") or {}).get(MARK) == app
    return Topic(workspace, topic["name"], topic["resourceGroup"], ours, exists=True)
