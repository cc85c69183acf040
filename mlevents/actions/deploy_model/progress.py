"""The state that the verbs of a rollout share: each verb reads it and adds its own part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from mlevents.actions.action import StepContext
from mlevents.actions.deploy_model.traffic_map import Traffic
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.orchestration.json_message import Json, JsonMessage, read_each, read_optional
from mlevents.orchestration.waiting_order import WaitingOrder


@dataclass(frozen=True, slots=True)
class Phase(JsonMessage):
    """One phase of the plan of a rollout; `name` is for people.

    `traffic` and `mirror` are the maps that it puts, `percent` is the new deployment's share. `for_` and
    `timeout` are in seconds; `own_timeout` says that a rule wrote the timeout. `approve` are the terms of a
    phase in which a person decides; its maps are those of the phase before.
    """

    name: str
    verb: RolloutVerb
    for_: float = 0.0
    timeout: float = 0.0
    percent: int = 0
    traffic: Traffic = field(default_factory=dict)
    mirror: Traffic = field(default_factory=dict)
    own_timeout: bool = False
    approve: Json = field(default_factory=dict)

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"verb": RolloutVerb}


@dataclass(frozen=True, slots=True)
class Progress(JsonMessage):
    """How far a rollout is. What is null is not known yet.

    - From `locate`: `endpoint`, the name of its lease, the limits of the verbs, and how many readings beyond
      a limit are forgiven.
    - `before` and `before_mirror` are the traffic maps before the rollout, `plan` its phases, `phase` the
      number of the one under way; `elapsed` seconds have passed in it, `since` seconds after the last look.
    - `endpoint` to `workspace`, and `before`, are what later steps read; `workspace` is set for another
      workspace than that of the event.
    - `missing` and `absent` count looks at an endpoint, or at earlier deployments, that were not found.
    - Of restoring: `inherited` says that another orchestration moved the traffic, and may have ended during a
      write; `late` that a write of ours may still arrive; `restoring` which maps were put; `refused` is what
      Azure answered to them.
    - `asking` is what people are asked in a phase of approval.
    - `ahead` asks the verbs to look ahead, so that fewer of them are called. `retired` is what people read of
      old deployments where none has to be deleted.
    - Of cleaning up: `log` is the end of the container's log, `tried` are the deployments to delete.
    """

    endpoint: str | None = None
    deployment: str | None = None
    model: str | None = None
    scoring_uri: str | None = None
    traffic: Traffic | None = None
    before: Traffic | None = None
    studio: str | None = None
    workspace: str | None = None
    lock: str = ""
    timeouts: Mapping[str, float | None] = field(default_factory=dict)
    failures: int = 0
    order: WaitingOrder | None = None
    allowed: bool = False
    created: bool = False
    replaced: bool = False
    before_mirror: Traffic | None = None
    plan: tuple[Phase, ...] = ()
    phase: int | None = None
    elapsed: float = 0.0
    since: float | None = None
    missing: int = 0
    absent: int = 0
    inherited: bool = False
    late: bool | None = None
    restoring: Literal["all", "succeeded"] | None = None
    refused: str | None = None
    log: tuple[str, ...] | None = None
    deleting: bool = False
    tried: tuple[str, ...] = ()
    asking: Json = field(default_factory=dict)
    ahead: bool = False
    retired: str | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "order": read_optional(WaitingOrder.from_json),
        "plan": read_each(Phase.from_json),
        "log": read_optional(tuple),
        "tried": tuple,
    }

    @classmethod
    def of(cls, context: StepContext) -> Self:
        """What the verbs before this one have left."""
        return cls.from_json(context.progress)

    def join(self, result: Json) -> Self:
        """The progress with what a verb left in its result."""
        return self.from_json({**self.to_json(), **result})

    def has_same_plan(self, other: "Progress") -> bool:
        """Whether both lead from the same traffic through the same phases."""
        found = [(one.before, one.before_mirror, one.plan) for one in (self, other)]
        return found[0] == found[1]

    @property
    def first_shift(self) -> int | None:
        """The number of the first phase that moves traffic; None where none does."""
        return next((n for n, one in enumerate(self.plan) if one.verb is RolloutVerb.SHIFT_TRAFFIC), None)

    @property
    def is_last(self) -> bool:
        """Whether the last phase of the plan is under way."""
        return self.phase == len(self.plan) - 1

    @property
    def serving(self) -> Traffic:
        """The traffic that the rollout has put so far, or found."""
        reached = self.plan[: self.phase + 1] if self.phase is not None else ()
        return next((one.traffic for one in reversed(reached) if one.traffic), self.before or {})

    @property
    def result(self) -> Json:
        """What later steps read."""
        names = ("endpoint", "deployment", "model", "scoring_uri", "traffic", "before", "studio", "workspace")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def subject(self) -> Json:
        """What a failure names: the endpoint, the deployment and the model, and another workspace."""
        other = {"workspace": self.workspace} if self.workspace else {}
        return {"endpoint": self.endpoint, "deployment": self.deployment, "model": self.model, **other}
