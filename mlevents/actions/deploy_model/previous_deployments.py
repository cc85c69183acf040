"""The deployments that served before a rollout, and their current states."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from mlevents.actions.deploy_model.lookup import find_deployments
from mlevents.actions.deploy_model.target import UNDER_WAY, RolloutTarget
from mlevents.actions.deploy_model.traffic_map import DeploymentNames, Traffic, keep_shares, traffic_holders
from mlevents.services.machine_learning.states import DeploymentState


@dataclass(frozen=True, slots=True)
class PreviousDeployments:
    """The traffic maps before the rollout, and the current states of their deployments (None: deleted)."""

    traffic: Traffic
    mirror: Traffic
    states: Mapping[str, DeploymentState | None]

    @classmethod
    def find(cls, target: RolloutTarget, traffic: Traffic, mirror: Traffic) -> Self:
        """Read each deployment by its name: a list may be empty or incomplete."""
        names = DeploymentNames([*traffic_holders(traffic), *traffic_holders(mirror)])
        return cls(traffic, mirror, find_deployments(target.endpoints, target.endpoint, names))

    @property
    def changing(self) -> DeploymentState | None:
        """A deployment that is changing: meanwhile, Azure refuses writes."""
        states = [one for one in self.states.values() if one]
        return next((one for one in states if one.provisioning_state in UNDER_WAY), None)

    @property
    def broken(self) -> list[str]:
        """The deployments that exist but have not succeeded."""
        return [one.name for one in self.states.values() if one and one.provisioning_state != "Succeeded"]

    @property
    def absent(self) -> list[str]:
        """The deployments that were not found."""
        return [name for name, one in self.states.items() if one is None]

    def maps(self, sure: bool) -> tuple[dict[str, int], dict[str, int]]:
        """Traffic and mirror for the deployments that exist; with `sure`, only for those that succeeded."""
        able = DeploymentNames(
            name
            for name, one in self.states.items()
            if one and (not sure or one.provisioning_state == "Succeeded")
        )
        mirror = {name: share for name, share in self.mirror.items() if not share or name in able}
        return keep_shares(self.traffic, able), mirror
