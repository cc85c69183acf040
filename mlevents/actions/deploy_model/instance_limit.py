"""The limit of the instances that all deployments of an endpoint have together, during a rollout too.

Old deployments count with their instances, or with the most that their `scale_settings` allow. Autoscale
settings of Azure Monitor are other resources: they are not read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from mlevents.actions.action import Pending
from mlevents.actions.deploy_model.cleanup import sort_idle
from mlevents.actions.deploy_model.lookup import list_deployments
from mlevents.actions.deploy_model.parameters import Limits, Rollout
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.target import LATER, MODEL_TAG, RolloutTarget
from mlevents.actions.deploy_model.traffic_map import DeploymentNames, same_name, traffic_holders
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.states import DeploymentState, EndpointState


@dataclass(frozen=True, slots=True)
class InstanceLimit:
    """At most `most` instances; `keep` is how many old deployments stay, None when none is ever deleted."""

    most: int
    keep: int | None

    @classmethod
    def of(cls, limits: Limits | None, rollout: Rollout | None) -> Self | None:
        """From the parameters of a step; None without a limit."""
        return cls(limits.instances, rollout.keep if rollout else None) if limits else None

    def check_template(self, name: str, document: Mapping[str, Any]) -> None:
        """Raise PermanentError for a template that alone asks for too many; one with `${…}` may pass."""
        if "${" not in f"{document.get('instance_count')}{document.get('scale_settings')}":
            needed = count_instances(document)
            if needed > self.most:
                raise PermanentError(
                    f"'{name}' asks for {needed} instances, more than limits.instances {self.most}: "
                    "raise the limit, or ask for fewer"
                )

    def make_room(
        self, target: RolloutTarget, document: Mapping[str, Any], progress: Progress
    ) -> Pending | None:
        """Delete an old deployment that is in the way, or wait for its end; None when the new one fits."""
        endpoint = target.find_endpoint()
        going = self.find_obstacles(target, endpoint, document, progress)
        if not going:
            return None
        first = going[0]
        said = f"deployment '{first.name}' is being deleted: limits.instances is {self.most}"
        if first.provisioning_state == "Deleting":
            return Pending(said, LATER, progress.to_json())
        target.endpoints.delete_deployment(target.endpoint, first.name)
        return Pending(said, LATER, replace(progress, tried=(*progress.tried, first.name)).to_json())

    def find_obstacles(
        self,
        target: RolloutTarget,
        endpoint: EndpointState | None,
        document: Mapping[str, Any],
        progress: Progress,
    ) -> list[DeploymentState]:
        """The deployments that must be deleted first, the oldest first; raises PermanentError.

        Only those of mlevents without traffic, and only as the end of the rollout would delete them.
        """
        there = list_deployments(target.endpoints, endpoint) if endpoint else ()
        own = next((one for one in there if same_name(one.name, target.deployment)), None)
        if own and not target.is_failed_attempt(own):
            return []  # it is there already: nothing is created
        others = [one for one in there if one is not own]
        needed = count_instances(document)
        excess = sum(one.instances for one in others) + needed - self.most
        going: list[DeploymentState] = []
        for one in self._list_removable(endpoint, others, progress):
            if excess > 0:
                going.append(one)
                excess -= one.instances
        if excess > 0:
            raise PermanentError(self._describe_excess(target, others, needed))
        return going

    def _list_removable(
        self, endpoint: EndpointState | None, others: Sequence[DeploymentState], progress: Progress
    ) -> list[DeploymentState]:
        """What is being deleted, then what the end of the rollout would delete, the oldest first.

        The deployments with traffic are without it then, and the first of those that are kept.
        """
        deleting = [one for one in others if one.provisioning_state == "Deleting"]
        if endpoint is None or self.keep is None:
            return deleting
        busy = DeploymentNames([*traffic_holders(endpoint.traffic), *traffic_holders(endpoint.mirror)])
        kept = sum(one.name in busy and MODEL_TAG in one.tags for one in others)
        idle = [one for one in others if one.name not in busy]
        spare = sort_idle(idle, progress.before or {}, max(0, self.keep - kept))
        tried = DeploymentNames(progress.tried)
        return [*deleting, *(one for one in reversed(spare) if one.name not in tried)]

    def _describe_excess(self, target: RolloutTarget, others: Sequence[DeploymentState], needed: int) -> str:
        listed = ", ".join(f"{one.name} {one.instances}" for one in sorted(others, key=lambda one: one.name))
        used = sum(one.instances for one in others)
        there = f"{used} instance{'s' * (used != 1)} ({listed or 'no deployment'})"
        return (
            f"endpoint '{target.endpoint}' has {there}, and "
            f"'{target.deployment}' needs {needed}: {used + needed} in all, more than limits.instances "
            f"{self.most}: raise the limit, ask for fewer in the template, or delete a deployment without "
            "traffic"
        )


def count_instances(document: Mapping[str, Any]) -> int:
    """The most instances that a deployment of this template has; raises PermanentError for no number."""
    scale = document.get("scale_settings")
    wanted = {
        "instance_count": document.get("instance_count", 1),
        "scale_settings.max_instances": scale.get("max_instances") if isinstance(scale, Mapping) else None,
    }
    counts = [1]
    for name, value in wanted.items():
        text = "1" if value is None else str(value)
        if not (text.isascii() and text.isdigit()):
            raise PermanentError(f"{name} is '{value}': write a whole number, because `limits` counts it")
        counts.append(int(text))
    return max(counts)
