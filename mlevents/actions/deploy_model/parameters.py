"""The parameters of a rollout: smoke test, mirror, traffic steps, checks and rollback.

```yaml
rollout:
  smoke_test: {request: deployments/sample-request.json, status: 200, latency: 2s}
  mirror: {percent: 10, for: 15m}
  steps: [{percent: 10, for: 15m}, {percent: 50, for: 30m}, {percent: 100}]
  checks:
    - {metric: error_rate, max: 0.01, window: 5m}
    - {metric: latency_p95, max: 1.2, of: stable, window: 5m}
  min_requests: 50
  failures: 0
  on_failure: rollback
  keep: 1
```
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mlevents.actions.action import FileName
from mlevents.actions.deploy_model.answer_body import build_conditions, path_parts
from mlevents.actions.deploy_model.metric_check import Check, Parameters
from mlevents.duration import Duration, PositiveDuration
from mlevents.gates.approve.terms import ApprovalTerms

WHOLE = 100
MOST_MIRRORED = 50
"""Azure ML's limit, in percent, to one deployment (learn.microsoft.com, "safe rollout")."""
HIGHEST_PROBE_RATE = 10
"""The most requests a second that probe a deployment."""


def _paths(checks: dict[str, Any]) -> dict[str, Any]:
    for path, wanted in checks.items():
        path_parts(path)
        build_conditions(wanted)
    return checks


class SmokeTest(Parameters):
    """One request to only the new deployment, before any traffic."""

    request: FileName | dict[str, Any] | list[Any]
    """give the request: a JSON file beside the rule file, or the JSON itself."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The HTTP status that the answer must have."""
    body: Annotated[dict[str, Any], Field(alias="json", default_factory=dict), AfterValidator(_paths)]
    """What the answer's JSON must hold: by path, such as `predictions[0]`, a value or an operator."""
    latency: PositiveDuration | None = None
    """How long the answer may take."""
    timeout: PositiveDuration | None = None
    """How long to retry while the model is not ready (409, 429, 5xx, no connection); 10m by default."""


class Mirror(Parameters):
    """The new deployment gets copies of live requests; its answers are discarded."""

    percent: Annotated[int, Field(ge=1, le=MOST_MIRRORED)]
    """say how many of a hundred requests are copied: 1 to 50."""
    for_: Annotated[PositiveDuration, Field(alias="for")]
    """say how long to mirror, such as 15m."""
    timeout: PositiveDuration | None = None
    """How long to wait for enough requests; twice `for` by default."""


class TrafficStep(Parameters):
    """A share of the live traffic, for a time; or the approval of a person before the next one."""

    percent: Annotated[int, Field(ge=1, le=WHOLE)] | None = None
    """say how much of the traffic the new deployment gets: 1 to 100."""
    approve: ApprovalTerms | None = None
    """A person must approve before the next step; the traffic stays, and the checks go on."""
    for_: Annotated[Duration, Field(alias="for")] = 0.0
    """How long to stay there; the checks must hold at the end of it."""
    timeout: PositiveDuration | None = None
    """How long to wait for enough requests; twice `for` by default."""

    @model_validator(mode="after")
    def _share_or_approval(self) -> Self:
        if (self.percent is None) == (self.approve is None):
            raise ValueError("a step has `percent` or `approve`: write one of them")
        if self.approve and (self.for_ or self.timeout):
            raise ValueError("an approval has no `for` and no `timeout`: it waits `within` its own time")
        return self


class Probe(Parameters):
    """Requests that mlevents sends to the new deployment when it gets too few."""

    rps: Annotated[float, Field(gt=0, le=HIGHEST_PROBE_RATE)] = 1.0
    """Requests a second, on average between two readings of the metrics."""


class Rollout(Parameters):
    """How a new deployment gets all traffic, and what rolls it back."""

    smoke_test: SmokeTest | None = None
    """One request before any traffic."""
    mirror: Mirror | None = None
    """Copied traffic before live traffic; skipped when no deployment serves yet."""
    steps: Annotated[list[TrafficStep], Field(min_length=1)] = Field(
        default_factory=lambda: [TrafficStep(percent=WHOLE)]
    )
    """The increasing shares of live traffic; 100 is always the last."""
    checks: list[Check] = Field(default_factory=list)
    """The checks during the mirror and every step with a duration."""
    min_requests: Annotated[int, Field(ge=0)] | None = None
    """How many requests the new deployment must answer before a verdict; 1 if there are checks."""
    no_traffic: Literal["hold", "proceed", "probe"] = "hold"
    """What a phase with fewer requests does: `hold` waits for its timeout and then rolls back, `proceed`
    continues if no check fails, `probe` sends the smoke test's request."""
    probe: Probe | None = None
    """How often to send that request, with `no_traffic: probe`."""
    failures: Annotated[int, Field(ge=0)] = 0
    """How many readings beyond a limit each phase tolerates."""
    on_failure: Literal["rollback", "hold"] = "rollback"
    """The traffic is always restored; then `rollback` deletes the new deployment, `hold` keeps it."""
    keep: Annotated[int, Field(ge=0)] = 1
    """How many earlier deployments of mlevents stay on the endpoint, without traffic, for a rollback."""

    @model_validator(mode="after")
    def _growing(self) -> Self:
        shares = [step.percent for step in self.steps if step.percent is not None]
        if shares != sorted(set(shares)):
            raise ValueError(f"the steps' percents are {shares}: each must be more than the one before")
        return self

    @model_validator(mode="after")
    def _judged(self) -> Self:
        wanted = {"checks": self.checks, "min_requests": self.min_requests}
        given = [f"`{name}`" for name, value in wanted.items() if value]
        if given and not self.lasting:
            raise ValueError(
                f"{' and '.join(given)} would never be used: no step and no mirror has a `for`. Write "
                "{percent: 10, for: 15m} in `steps`, or remove it"
            )
        return self

    @model_validator(mode="after")
    def _probed(self) -> Self:
        if self.no_traffic == "probe" and self.smoke_test is None:
            raise ValueError("`no_traffic: probe` sends the smoke test's request: add `smoke_test`")
        if self.probe is not None and self.no_traffic != "probe":
            raise ValueError(
                f"`probe` does nothing with `no_traffic: {self.no_traffic}`: write `probe` there"
            )
        return self

    @property
    def lasting(self) -> list[float]:
        """The durations of the phases in which the new deployment is watched."""
        mirrored = [self.mirror.for_] if self.mirror else []
        return [*mirrored, *(step.for_ for step in self.steps if step.for_)]

    @property
    def needed(self) -> int:
        """How many requests a verdict needs; 0 without checks."""
        return self.min_requests if self.min_requests is not None else int(bool(self.checks))


class Limits(Parameters):
    """What a rollout never exceeds."""

    instances: Annotated[int, Field(ge=1)]
    """say how many instances all deployments of the endpoint may have together, old and new."""


class Timeouts(Parameters):
    """How long each operation of Azure may take; a step's own `timeout` is for the complete rollout."""

    endpoint: PositiveDuration = 1800.0
    """Creating the endpoint."""
    deployment: PositiveDuration = 10_800.0
    """Provisioning the deployment."""
    traffic: PositiveDuration = 1800.0
    """Each change of the traffic."""
