"""Deploy a registered model to a managed online endpoint, and move the traffic to it step by step.

```yaml
uses: deploy_model
with:
  endpoint: "${model.tags.endpoint | default(model.name)}"   # created when it is missing
  template: deployments/small.yaml     # a ManagedOnlineDeployment in the Azure ML CLI v2 schema
  rollout:                             # without it, all traffic moves at once
    steps: [{percent: 10, for: 15m}, {percent: 50, for: 30m}, {percent: 100}]
    checks: [{metric: error_rate, max: 0.01, window: 5m}, {metric: latency_p95, max: 250ms}]
```

`template` may contain `${…}`, and names no local files; its `name`, `endpoint_name` and `model` are replaced.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mlevents.actions.action import Action, Done, FileName, Outcome, StepContext, action
from mlevents.actions.allowed_target import Target
from mlevents.actions.deploy_model import cleanup, creation, first_look, traffic_restore, traffic_shift
from mlevents.actions.deploy_model.approval_request import ask_about_phase
from mlevents.actions.deploy_model.instance_limit import InstanceLimit
from mlevents.actions.deploy_model.model_reference import (
    EndpointName,
    ModelText,
    find_original,
    require_model,
)
from mlevents.actions.deploy_model.observation import Prober, observe
from mlevents.actions.deploy_model.parameter_warnings import find_cautions
from mlevents.actions.deploy_model.parameters import Limits, Rollout, Timeouts
from mlevents.actions.deploy_model.preflight import DEPLOYMENT_RIGHTS, check_deployment_needs
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.required_rights import check_rights
from mlevents.actions.deploy_model.serving import report_serving
from mlevents.actions.deploy_model.smoke_test import check_request, smoke_test
from mlevents.actions.deploy_model.target import RolloutTarget, TargetNames
from mlevents.actions.deploy_model.template_check import check_deployment_template
from mlevents.actions.deploy_model.verbs import ROLLOUT_ORCHESTRATION, RolloutVerb
from mlevents.actions.endpoint_allowlist import TARGET, EndpointList, check_allowlist
from mlevents.actions.preflight_input import Preflight
from mlevents.orchestration.serving_query import ServingQuery
from mlevents.orchestration.step_plan import StepOrchestration
from mlevents.services.connection import ConnectionName
from mlevents.services.finding import Finding
from mlevents.services.machine_learning.states import EndpointState, NewEndpoint
from mlevents.services.permission import Permission
from mlevents.services.services import Services


@action("deploy_model")
class DeployModel(Action):
    """Endpoint, deployment without traffic, then the traffic; each verb may be called any number of times.

    The orchestrator calls `locate`, takes the lease that it names, and then calls the other verbs; each
    `Done.result` joins the progress of the next. After a failure: `restore_traffic`, then `discard`.
    """

    permissions: ClassVar[tuple[Permission, ...]] = DEPLOYMENT_RIGHTS
    orchestration: ClassVar[StepOrchestration | None] = ROLLOUT_ORCHESTRATION
    causes: ClassVar[tuple[str, ...]] = ("model.deployed",)
    from_event: ClassVar[Mapping[str, str]] = {"model": "model"}
    target: ClassVar[Target | None] = TARGET
    verbs: ClassVar[type[StrEnum]] = RolloutVerb

    template: FileName
    """name a file with a ManagedOnlineDeployment, such as deployments/small.yaml."""
    endpoint: EndpointName | None = None
    """The endpoint, created when it is missing. The name of the model when left out."""
    endpoints: EndpointList | None = None
    """The endpoints that an event may name, such as `fraud-*`; by default the list of the rule file."""
    deployment: EndpointName | None = None
    """The name of the deployment; by default made from model and version."""
    model: ModelText | None = None
    """The model as `name:version`, or its id in a registry. The model of the event when left out."""
    workspace: Annotated[str, ConnectionName(("ml_workspace",))] | None = None
    """A connection of type `ml_workspace`: deploys there. In the workspace of the event when left out."""
    auth_mode: Literal["key", "aml_token", "aad_token"] = "key"
    """How clients sign in to an endpoint that is created."""
    identity: list[str] = Field(default_factory=list)
    """User-assigned identities (ARM ids) of an endpoint that is created; by default its own."""
    public_access: bool = True
    """Whether an endpoint that is created can be reached from the internet."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags of an endpoint that is created."""
    limits: Limits | None = None
    """What the rollout must never exceed, such as `{instances: 6}`."""
    rollout: Rollout | None = None
    """How the traffic moves to the new deployment; all at once when left out."""
    timeouts: Timeouts = Timeouts()
    """How long the operations of Azure may take."""

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Never called: the orchestrator calls the verbs."""
        raise NotImplementedError("deploy_model has verbs, which its orchestrator 'RollOutModel' calls")

    def check(self, read: Callable[[str], str]) -> None:
        """Look through the template; raises PermanentError. `read` gives the text of a file."""
        require_model(self.model, self.workspace)
        check_deployment_template(self.template, read(self.template), self.limits)
        if self.rollout and self.rollout.smoke_test:
            check_request(self.rollout.smoke_test, read)

    def find_warnings(self) -> Iterator[tuple[str, str]]:
        """What of the rollout can hardly be met."""
        return ((f"rollout.{name}", text) for name, text in find_cautions(self.rollout))

    def preflight(self, context: Preflight) -> Iterator[Finding]:
        """Ask for the endpoint and the model, and for the quota where that is wanted."""
        return check_deployment_needs(self.endpoint, self.model, self.template, self.workspace, context)

    def locate(self, context: StepContext, services: Services) -> Outcome:
        """Say which endpoint this is about, and its lease's key; raises NotAllowedError."""
        target = self._target(context, services)
        check_allowlist(target.endpoint, self.endpoints)
        found = {"endpoint": target.endpoint, "lock": target.lock, "timeouts": dict(self.timeouts)}
        more = {"failures": self.rollout.failures if self.rollout else 0, **target.other_workspace}
        check = partial(self._check_allowed, target, context=context, services=services)
        ahead = first_look.look_ahead(target, self.rollout, context, check)
        return Done(f"{target.model} goes to endpoint '{target.endpoint}'", {**found, **more, **ahead})

    def report_serving(self, context: StepContext, services: Services) -> Outcome:
        """Report what serves at the endpoint now, for the gates that compare with it."""
        query, target = ServingQuery.from_json(context.progress), self._target(context, services)
        check_allowlist(target.endpoint, self.endpoints)
        return report_serving(target, query.model_tags, services)

    def ensure_endpoint(self, context: StepContext, services: Services) -> Outcome:
        """Check limits and rights once; make the endpoint, wait until it is ready, note its traffic."""
        state = (target := self._target(context, services)).find_endpoint()
        self._check_allowed(target, state, context, services)
        tags = {**self.tags, **context.provenance, **target.endpoint_tags}
        wanted = NewEndpoint(target.endpoint, self.auth_mode, tags, tuple(self.identity), self.public_access)
        return creation.ensure_endpoint(target, state, wanted, Progress.of(context), self.rollout)

    def create_deployment(self, context: StepContext, services: Services) -> Outcome:
        """Create the deployment, which gets no traffic, or find it there with the same model."""
        progress, target = Progress.of(context), self._target(context, services)
        document = partial(creation.fill_document, self.template, context, services)
        limit = InstanceLimit.of(self.limits, self.rollout)
        create = partial(creation.create_deployment, target, document, context.provenance, progress, limit)
        return creation.create_and_follow(target, self.rollout, progress, create)

    def follow_deployment(self, context: StepContext, services: Services) -> Outcome:
        """Wait until the deployment can serve; then plan, from the traffic as it is by now."""
        return creation.follow_deployment(self._target(context, services), self.rollout, Progress.of(context))

    def smoke_test(self, context: StepContext, services: Services) -> Outcome:
        """Send one request to only the new deployment."""
        test = self.rollout.smoke_test if self.rollout else None
        return smoke_test(self._target(context, services), test, services, context.fill)

    def shift_traffic(self, context: StepContext, services: Services) -> Outcome:
        """Write the traffic of the current phase, unless someone else has moved it."""
        target, progress = self._target(context, services), Progress.of(context)
        outcome = traffic_shift.shift_traffic(target, progress)
        return cleanup.look_for_old(outcome, target, progress, self.rollout)

    def ask_approval(self, context: StepContext, services: Services) -> Outcome:
        """Send the link for the phase under way to those who are asked."""
        return ask_about_phase(Progress.of(context), context, find_original(self.model, context), services)

    def observe(self, context: StepContext, services: Services) -> Outcome:
        """Say what the metrics say of the phase under way: `verdict` and `excused` in the result."""
        target, prober = self._target(context, services), Prober(services, context.id, context.fill)
        return observe(target, Progress.of(context), self.rollout or Rollout(), prober)

    def retire(self, context: StepContext, services: Services) -> Outcome:
        """Delete the deployments of ours that are no longer needed to go back to."""
        return cleanup.retire(self._target(context, services), Progress.of(context), self.rollout)

    def restore_traffic(self, context: StepContext, services: Services) -> Outcome:
        """Put the traffic maps back that stood before ours, and never ones that someone else made."""
        return traffic_restore.restore_maps(self._target(context, services), Progress.of(context))

    def discard(self, context: StepContext, services: Services) -> Outcome:
        """Take the end of the failed deployment's log; with `on_failure: rollback` delete what we made."""
        mark = context.id if self.rollout and self.rollout.on_failure == "rollback" else ""
        return cleanup.discard(self._target(context, services), Progress.of(context), mark)

    def _check_allowed(
        self, target: RolloutTarget, state: EndpointState | None, context: StepContext, services: Services
    ) -> None:
        if (progress := Progress.of(context)).allowed:
            return
        if limit := InstanceLimit.of(self.limits, self.rollout):
            document = creation.fill_document(self.template, context, services)
            limit.find_obstacles(target, state, document, progress)
        check_rights(target, state, self.rollout, self.auth_mode, services)

    def _target(self, context: StepContext, services: Services) -> RolloutTarget:
        names = TargetNames(self.model, self.endpoint, self.deployment, self.workspace)
        return RolloutTarget.of(context, services, names)
