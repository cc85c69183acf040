"""The target of a rollout: model, deployment and endpoint, and checks of what exists there."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from mlevents.actions.action import LONGEST_TAG, StepContext
from mlevents.actions.deploy_model.lookup import find_deployment, find_endpoint
from mlevents.actions.deploy_model.model_reference import find_model
from mlevents.actions.deploy_model.traffic_map import DeploymentNames, same_name, traffic_holders
from mlevents.actions.endpoint_names import deployment_name, endpoint_name
from mlevents.actions.other_workspace import open_workspace_of_step
from mlevents.canonical import fold
from mlevents.errors import PermanentError, TransientError
from mlevents.services.machine_learning.online_endpoints import OnlineEndpoints
from mlevents.services.machine_learning.resource_ids import same_asset
from mlevents.services.machine_learning.states import DeploymentState, EndpointState
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.services import Services

MODEL_TAG = "mlevents.model"
TEXT_TAG = "mlevents.endpoint"
"""On an endpoint that mlevents created: the text from which its name was made."""
RESPONSE_TAG = "mlevents.response"
UNDER_WAY = frozenset({"Creating", "Updating", "Scaling", "Deleting"})
SOON, LATER, SLOW = 5.0, 10.0, 60.0
"""Seconds until the next read: of an endpoint, of a deployment, of one that is being created or deleted."""
MOST_DEPLOYMENTS = 20


@dataclass(frozen=True, slots=True)
class TargetNames:
    """What the step's parameters name; the event gives the rest."""

    model: str | None = None
    endpoint: str | None = None
    deployment: str | None = None
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class RolloutTarget:
    """One version of one model, one deployment, one endpoint of one workspace.

    `text` is the text from which the endpoint's name was made; `elsewhere` says that the step names the
    workspace.
    """

    machine_learning: MachineLearning
    model: str
    model_id: str
    endpoint: str
    deployment: str
    text: str
    elsewhere: bool = False

    @classmethod
    def of(cls, context: StepContext, services: Services, names: TargetNames) -> Self:
        """From what the step names, else from the event."""
        model = find_model(names.model, context)
        made = deployment_name(model.name, model.version)
        text = names.endpoint or model.name
        machine_learning = open_workspace_of_step(names.workspace, context, services)
        return cls(
            machine_learning=machine_learning,
            model=str(model),
            model_id=model.make_id(machine_learning.workspace),
            endpoint=endpoint_name(text),
            deployment=endpoint_name(names.deployment) if names.deployment else made,
            text=text,
            elsewhere=names.workspace is not None,
        )

    @property
    def endpoints(self) -> OnlineEndpoints:
        """The workspace's endpoints."""
        return self.machine_learning.endpoints

    @property
    def lock(self) -> str:
        """The key of the endpoint's lease, the same in whatever case the workspace's id is written."""
        workspace = hashlib.sha256(self.machine_learning.workspace.id.lower().encode()).hexdigest()[:16]
        return f"{workspace}-{fold(self.endpoint)}"

    @property
    def other_workspace(self) -> dict[str, str]:
        """The `workspace` that results name where it is not that of the event: its ARM id."""
        return {"workspace": self.machine_learning.workspace.id} if self.elsewhere else {}

    @property
    def all_traffic(self) -> Mapping[str, int]:
        """The map that gives all traffic to the deployment."""
        return {self.deployment: 100}

    @property
    def endpoint_tags(self) -> dict[str, str]:
        """The tags of an endpoint that mlevents creates."""
        return {TEXT_TAG: self.text[:LONGEST_TAG]}

    @property
    def studio(self) -> str:
        """The endpoint's page in Azure ML Studio."""
        return self.machine_learning.workspace.endpoint_link(self.endpoint)

    def find_endpoint(self) -> EndpointState | None:
        """The endpoint's current state, or None if it does not exist; raises TransientError when unclear."""
        return find_endpoint(self.endpoints, self.endpoint)

    def read_endpoint(self) -> EndpointState:
        """The endpoint's current state; raises PermanentError if it was deleted."""
        state = self.find_endpoint()
        if state is None:
            raise PermanentError(f"endpoint '{self.endpoint}' does not exist any more: someone deleted it")
        return state

    def read_deployment(self) -> DeploymentState | None:
        """The new deployment, or None if it does not exist."""
        return find_deployment(self.endpoints, self.endpoint, self.deployment)

    def check_capacity(self, deployments: Iterable[DeploymentState]) -> None:
        """Raise PermanentError when the endpoint is full; the message says what to delete."""
        there = [state.name for state in deployments]
        if len(there) < MOST_DEPLOYMENTS:
            return
        busy = DeploymentNames(traffic_holders(self.read_endpoint().traffic))
        idle = ", ".join(sorted(name for name in there if name not in busy)) or "none"
        raise PermanentError(
            f"endpoint '{self.endpoint}' has {len(there)} deployments, and Azure allows {MOST_DEPLOYMENTS}: "
            f"delete some without traffic ({idle})"
        )

    def check_endpoint(self, state: EndpointState) -> None:
        """Raise PermanentError for an endpoint that has failed, or was created for another text."""
        if state.provisioning_state not in ("Succeeded", ""):
            raise PermanentError(
                f"endpoint '{state.name}' is {state.provisioning_state}: {self.endpoints.reason(state)}; "
                f"fix or delete it: {self.studio}"
            )
        made_for = state.tags.get(TEXT_TAG)
        known = made_for is None or same_name(made_for, self.text[:LONGEST_TAG])
        if not known and not same_name(self.text, self.endpoint):
            raise PermanentError(
                f"endpoint '{state.name}' was created for '{made_for}', and '{self.text}' gives the same "
                "name: set `endpoint` to another name"
            )

    def check_deployment(self, state: DeploymentState | None) -> None:
        """Raise PermanentError unless the deployment has this model and succeeded.

        Raises TransientError while it changes, for example when someone scales it.
        """
        if state is None:
            raise PermanentError(
                f"deployment '{self.deployment}' of endpoint '{self.endpoint}' does not exist any more"
            )
        self._check_model(state)
        if state.provisioning_state in UNDER_WAY:
            said = f"deployment '{state.name}' of endpoint '{self.endpoint}' is {state.provisioning_state}"
            raise TransientError(said, busy=True)
        if state.provisioning_state != "Succeeded":
            raise PermanentError(
                f"deployment '{state.name}' of endpoint '{self.endpoint}' is {state.provisioning_state}: "
                f"{self.endpoints.reason(state)}"
            )

    def is_failed_attempt(self, state: DeploymentState) -> bool:
        """Whether the deployment is a failed attempt of mlevents; raises PermanentError if it is not ours."""
        self._check_model(state)
        if state.provisioning_state not in ("Failed", "Canceled"):
            return False
        if RESPONSE_TAG in state.tags:
            return True
        raise PermanentError(
            f"deployment '{state.name}' of endpoint '{self.endpoint}' is {state.provisioning_state}, and "
            "mlevents did not create it: delete it, or set `deployment` to another name"
        )

    def _check_model(self, state: DeploymentState) -> None:
        if not same_asset(state.model, self.model_id):
            raise PermanentError(
                f"deployment '{state.name}' of endpoint '{self.endpoint}' serves {state.model or 'no model'}"
                f", not {self.model}: set `deployment` to another name, or remove it"
            )
