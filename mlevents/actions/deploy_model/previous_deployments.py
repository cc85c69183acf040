"""What served at an endpoint before a rollout, and in which state it is by now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from mlevents.actions.deploy_model.lookup import find_deployments
from mlevents.actions.deploy_model.target import UNDER_WAY, RolloutTarget
from mlevents.actions.deploy_model.traffic_map import Names, Traffic, serving, shared
from mlevents.services.machine_learning.states import DeploymentState


@dataclass(frozen=True, slots=True)
class Earlier:
    """The maps before the rollout, and how the deployments that they name are now (None: gone)."""

    traffic: Traffic
    mirror: Traffic
    states: Mapping[str, DeploymentState | None]

    @classmethod
    def find(cls, target: RolloutTarget, traffic: Traffic, mirror: Traffic) -> Self:
        """Read each deployment by its name: a list that is empty or short is not the truth."""
        names = Names([*serving(traffic), *serving(mirror)])
        return cls(traffic, mirror, find_deployments(target.endpoints, target.endpoint, names))

    @property
    def changing(self) -> DeploymentState | None:
        """One that is in transition, during which Azure takes no write."""
        states = [one for one in self.states.values() if one]
        return next((one for one in states if one.provisioning_state in UNDER_WAY), None)

    @property
    def broken(self) -> list[str]:
        """Those that exist, and may or may not be able to serve."""
        return [one.name for one in self.states.values() if one and one.provisioning_state != "Succeeded"]

    @property
    def absent(self) -> list[str]:
        """Those that were not found."""
        return [name for name, one in self.states.items() if one is None]

    def maps(self, sure: bool) -> tuple[dict[str, int], dict[str, int]]:
        """Traffic and mirror for those that exist, or for those alone that are `sure` to serve."""
        able = Names(
            name
            for name, one in self.states.items()
            if one and (not sure or one.provisioning_state == "Succeeded")
        )
        mirror = {name: share for name, share in self.mirror.items() if not share or name in able}
        return shared(self.traffic, able), mirror
