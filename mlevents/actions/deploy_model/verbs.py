"""The verbs of `deploy_model`: the methods of its action that its orchestrators call."""

from enum import StrEnum

from mlevents.orchestration.step_plan import StepOrchestration


class RolloutVerb(StrEnum):
    """One verb; `timeout_name` is which of the action's `timeouts` it has, `words` is for people."""

    LOCATE = "locate"
    REPORT_SERVING = "report_serving"
    ENSURE_ENDPOINT = "ensure_endpoint"
    CREATE_DEPLOYMENT = "create_deployment"
    FOLLOW_DEPLOYMENT = "follow_deployment"
    SMOKE_TEST = "smoke_test"
    SHIFT_TRAFFIC = "shift_traffic"
    ASK_APPROVAL = "ask_approval"
    OBSERVE = "observe"
    RETIRE = "retire"
    RESTORE_TRAFFIC = "restore_traffic"
    DISCARD = "discard"

    @property
    def timeout_name(self) -> str | None:
        """Which of the action's `timeouts` limits it, if one does."""
        return TIMEOUTS.get(self)

    @property
    def words(self) -> str:
        """What people read while it has not answered yet."""
        return PROGRESS_WORDS.get(self, self.replace("_", " "))


TIMEOUTS = {
    RolloutVerb.ENSURE_ENDPOINT: "endpoint",
    RolloutVerb.CREATE_DEPLOYMENT: "deployment",
    RolloutVerb.FOLLOW_DEPLOYMENT: "deployment",
    RolloutVerb.SHIFT_TRAFFIC: "traffic",
}
PROGRESS_WORDS = {
    RolloutVerb.ENSURE_ENDPOINT: "the endpoint is looked up, or created",
    RolloutVerb.CREATE_DEPLOYMENT: "the deployment is requested",
    RolloutVerb.FOLLOW_DEPLOYMENT: "waiting until the deployment is ready",
    RolloutVerb.SMOKE_TEST: "a test request is sent",
    RolloutVerb.SHIFT_TRAFFIC: "the traffic is changed",
    RolloutVerb.ASK_APPROVAL: "people are asked for an approval",
}
ROLLOUT_ORCHESTRATION = StepOrchestration(
    name="RollOutModel",
    recovery="RestoreTraffic",
    serving_verb=RolloutVerb.REPORT_SERVING,
    notice="traffic-not-restored",
)
