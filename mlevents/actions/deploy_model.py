"""Deploy a registered model to a managed online endpoint, and move all traffic to it.

```yaml
uses: deploy_model
with:
  endpoint: "${model.tags.endpoint | default(model.name)}"   # made when it is missing
  template: deployments/small.yaml     # a ManagedOnlineDeployment in the Azure ML CLI v2 schema
```

`template` says how to run the model (instance type and count, probes, environment …); its `name`,
`endpoint_name` and `model` give way to the event's, and nothing local may stand in it. `model`
(`name:version`) is needed for events that are about no model. `deployment` defaults to a name made
of model and version. `auth_mode` (key, aml_token, aad_token) is for an endpoint that is made.

Later steps read `endpoint`, `deployment`, `model`, `scoring_uri`, `traffic`, `before` and `studio`.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from mlevents.actions.action import Action, Done, FileName, Outcome, Pending, StepContext, action
from mlevents.actions.documents import parse
from mlevents.actions.model_names import model_reference
from mlevents.actions.rollout_target import MODEL_TAG, RolloutTarget
from mlevents.actions.traffic import same, serving, words
from mlevents.errors import PermanentError
from mlevents.services.machine_learning_states import EndpointState, NewDeployment
from mlevents.services.services import Services

SOON, LATER = 5.0, 10.0
"""Seconds until the next look: at an endpoint, which takes a minute; at a deployment, which takes ten."""
UNDER_WAY = frozenset({"Creating", "Updating", "Scaling", "Deleting"})


@action("deploy_model")
class DeployModel(Action):
    """Endpoint, deployment without traffic, all traffic; each verb may be called any number of times.

    The orchestrator calls `locate`, takes the lock that it names, and then the other verbs in
    order; each `Done.result` joins the progress that the next verb sees. After a failure it calls
    `restore_traffic`, which looks for itself what there is to restore.
    """

    orchestrator: ClassVar[str | None] = "rollout"
    verbs: ClassVar[tuple[str, ...]] = (
        "locate",
        "ensure_endpoint",
        "create_deployment",
        "follow_deployment",
        "shift_traffic",
        "restore_traffic",
    )

    template: FileName
    endpoint: str | None = None
    deployment: str | None = None
    model: Annotated[str, AfterValidator(model_reference)] | None = None
    auth_mode: Literal["key", "aml_token", "aad_token"] = "key"

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Never called: the orchestrator calls the verbs."""
        raise NotImplementedError("deploy_model is carried out verb by verb, by the orchestrator 'rollout'")

    def check(self, read: Callable[[str], str]) -> None:
        """Look through the template; raises PermanentError. `read` gives the text of a file."""
        parse(self.template, read(self.template))

    def locate(self, context: StepContext, services: Services) -> Outcome:
        """Say which endpoint this is about, and the name of its lock; asks Azure nothing."""
        target = self._target(context, services)
        return Done(
            f"{target.model} goes to endpoint '{target.endpoint}'",
            {"endpoint": target.endpoint, "lock": target.lock},
        )

    def ensure_endpoint(self, context: StepContext, services: Services) -> Outcome:
        """Make the endpoint if it is missing, wait until it can be worked on, note its traffic."""
        target = self._target(context, services)
        state = target.endpoints.endpoint(target.endpoint)
        progress = dict(context.progress)
        if state is None:
            tags = {**context.provenance, **target.endpoint_tags}
            target.endpoints.put_endpoint(target.endpoint, self.auth_mode, tags)
            return Pending(
                f"endpoint '{target.endpoint}' is being created", SOON, {**progress, "created": True}
            )
        if state.provisioning_state in UNDER_WAY:
            return Pending(f"endpoint '{state.name}' is {state.provisioning_state}", SOON, progress)
        target.must_be_usable(state)
        result = {
            "endpoint": target.endpoint,
            "before": dict(state.traffic),
            "created": bool(progress.get("created")),
        }
        return Done(f"endpoint '{state.name}' is there, its traffic: {words(state.traffic)}", result)

    def create_deployment(self, context: StepContext, services: Services) -> Outcome:
        """Create the deployment, which gets no traffic, or find it there with the same model."""
        target = self._target(context, services)
        state = target.endpoints.deployment(target.endpoint, target.deployment)
        if state and state.provisioning_state == "Deleting":
            return Pending(f"deployment '{state.name}' is being deleted", LATER, dict(context.progress))
        result = {"deployment": target.deployment, "model": target.model}
        if state and not target.must_be_put_again(state):
            return Done(f"deployment '{state.name}' with {target.model} is there already", result)
        if state is None:
            target.must_have_room()
        target.endpoints.put_deployment(
            NewDeployment(
                endpoint=target.endpoint,
                name=target.deployment,
                document=parse(self.template, services.read(self.template)),
                model=target.model_id,
                tags={**context.provenance, MODEL_TAG: target.model},
            )
        )
        return Done(f"deployment '{target.deployment}' with {target.model} is being created", result)

    def follow_deployment(self, context: StepContext, services: Services) -> Outcome:
        """Wait until the deployment can serve; then note the traffic once more, as it is by now."""
        target = self._target(context, services)
        state = target.endpoints.deployment(target.endpoint, target.deployment)
        if state and state.provisioning_state in UNDER_WAY:
            return Pending(
                f"deployment '{state.name}' is {state.provisioning_state}", LATER, dict(context.progress)
            )
        target.must_be_able(state)
        before = dict(target.standing().traffic)
        return Done(f"deployment '{target.deployment}' is ready", {"before": before})

    def shift_traffic(self, context: StepContext, services: Services) -> Outcome:
        """Give the deployment all traffic, unless somebody else has moved the traffic meanwhile."""
        target = self._target(context, services)
        state = target.standing()
        progress = dict(context.progress)
        if state.provisioning_state in UNDER_WAY:
            return Pending(f"endpoint '{state.name}' is {state.provisioning_state}", SOON, progress)
        target.must_be_usable(state)
        if same(state.traffic, target.all_traffic):
            return Done(
                f"'{target.deployment}' has all traffic of '{state.name}'", _result(target, state, progress)
            )
        if not same(state.traffic, progress.get("before", state.traffic)):
            raise PermanentError(
                f"somebody else moved the traffic of endpoint '{state.name}', to {words(state.traffic)}, "
                f"while '{target.deployment}' was made: it is left so"
            )
        target.must_be_able(target.endpoints.deployment(target.endpoint, target.deployment))
        target.endpoints.set_traffic(target.endpoint, target.all_traffic)
        return Pending(f"all traffic is moving to '{target.deployment}'", SOON, progress)

    def restore_traffic(self, context: StepContext, services: Services) -> Outcome:
        """Put the traffic map back that stood before ours, and never one that somebody else made."""
        target = self._target(context, services)
        state = target.endpoints.endpoint(target.endpoint)
        before = context.progress.get("before")
        if state is None or before is None:
            return Done("no traffic was moved")
        if state.provisioning_state in UNDER_WAY:
            return Pending(
                f"endpoint '{state.name}' is {state.provisioning_state}", SOON, dict(context.progress)
            )
        wanted = target.restorable(before)
        if same(state.traffic, before) or same(state.traffic, wanted):
            return Done(f"the traffic of '{state.name}' is {words(state.traffic)}")
        if not same(state.traffic, target.all_traffic):
            return Done(f"the traffic of '{state.name}' is somebody else's, so left: {words(state.traffic)}")
        if serving(before) and not wanted:
            return Done(f"the traffic of '{state.name}' stays as it is: none of {words(before)} can serve")
        if context.progress.get("restoring"):
            target.must_be_usable(state)
        target.endpoints.set_traffic(target.endpoint, wanted)
        progress = {**context.progress, "restoring": True}
        return Pending(f"the traffic of '{state.name}' goes back to {words(wanted)}", SOON, progress)

    def _target(self, context: StepContext, services: Services) -> RolloutTarget:
        return RolloutTarget.of(context, services, (self.model, self.endpoint, self.deployment))


def _result(target: RolloutTarget, state: EndpointState, progress: dict[str, Any]) -> dict[str, Any]:
    return {
        "endpoint": target.endpoint,
        "deployment": target.deployment,
        "model": target.model,
        "scoring_uri": state.scoring_uri,
        "traffic": dict(target.all_traffic),
        "before": progress.get("before", {}),
        "studio": target.studio,
    }
