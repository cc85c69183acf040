"""What a rule may say about a rollout: how the new deployment is tried, watched, and taken back.

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

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mlevents.actions.action import FileName
from mlevents.actions.rollout_body import condition, path_parts
from mlevents.duration import Duration, seconds

WHOLE = 100
MOST_MIRRORED = 50
"""Azure ML's limit, in percent, to one deployment (learn.microsoft.com, "safe rollout")."""


class Parameters(BaseModel):
    """A part of an action's parameters: nothing unknown, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, populate_by_name=True
    )


def _paths(checks: dict[str, Any]) -> dict[str, Any]:
    for path, wanted in checks.items():
        path_parts(path)
        condition(wanted)
    return checks


class SmokeTest(Parameters):
    """One request to the new deployment alone, before anybody else's."""

    request: FileName | dict[str, Any] | list[Any]
    """give the request: a JSON file beside the rule file, or the JSON itself."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The HTTP status that the answer must have."""
    body: Annotated[dict[str, Any], Field(alias="json", default_factory=dict), AfterValidator(_paths)]
    """What the answer's JSON must hold: by path, such as `predictions[0]`, a value or an operator."""
    latency: Duration | None = None
    """How long the answer may take."""
    timeout: Duration | None = None
    """How long to try again while the deployment does not answer at all."""


class Mirror(Parameters):
    """A copy of live requests goes to the new deployment, whose answers nobody sees."""

    percent: Annotated[int, Field(ge=1, le=MOST_MIRRORED)]
    """say how many of a hundred requests are copied: 1 to 50."""
    for_: Annotated[Duration, Field(alias="for")]
    """say how long to mirror, such as 15m."""
    timeout: Duration | None = None
    """How long to wait for enough requests; twice `for` when left out."""


class Step(Parameters):
    """A share of the live traffic, for a time."""

    percent: Annotated[int, Field(ge=1, le=WHOLE)]
    """say how much of the traffic the new deployment gets: 1 to 100."""
    for_: Annotated[Duration, Field(alias="for")] = 0.0
    """How long to stay there; the checks must hold at the end of it."""
    timeout: Duration | None = None
    """How long to wait for enough requests; twice `for` when left out."""


class Check(Parameters):
    """One metric of the new deployment, against a limit or against the stable deployment."""

    metric: Literal["error_rate", "latency_p50", "latency_p90", "latency_p95", "latency_p99", "requests"]
    """name the metric."""
    max: float | str | None = None
    """The most that is healthy: a share, a duration, a number, or with `of: stable` a factor."""
    min: float | str | None = None
    """The least that is healthy."""
    of: Literal["stable"] | None = None
    """`stable` makes the limits factors of what the stable deployment has in the same minutes."""
    plus: float | str | None = None
    """What is added to a limit that is a factor, so that a stable deployment without errors allows some."""
    window: Duration = 300.0
    """The minutes that are judged; more where they hold too few requests."""

    @model_validator(mode="after")
    def _limits(self) -> Self:
        if self.max is None and self.min is None:
            raise ValueError(f"the check of {self.metric} has no limit: give `max` or `min`")
        if self.plus is not None and self.of is None:
            raise ValueError("`plus` is added to a factor: give `of: stable`, or leave it out")
        for name in ("max", "min", "plus"):
            limit(self, name)
        return self


def limit(check: Check, name: str) -> float | None:
    """A limit of the check as a number: seconds for a latency; raises ValueError for one of no use."""
    value: float | str | None = getattr(check, name)
    factor = check.of is not None and name != "plus"
    if value is None or (isinstance(value, str) and "${" in value):
        return None
    if check.metric.startswith("latency") and not factor:
        return seconds(value)
    if isinstance(value, str):
        raise ValueError(f"`{name}` of {check.metric} is '{value}': write a number without quotes")  # noqa: TRY004
    if value < 0 or (check.metric == "error_rate" and not factor and value > 1):
        bounds = "from 0 to 1, such as 0.01 for 1 %" if check.metric == "error_rate" else "from 0"
        raise ValueError(f"`{name}` of {check.metric} is {value:g}: write a number {bounds}")
    return float(value)


class Rollout(Parameters):
    """How a new deployment comes to all the traffic, and what takes it back."""

    smoke_test: SmokeTest | None = None
    """One request before any traffic."""
    mirror: Mirror | None = None
    """Copied traffic before live traffic; skipped where nothing serves yet."""
    steps: Annotated[list[Step], Field(min_length=1)] = Field(default_factory=lambda: [Step(percent=WHOLE)])
    """The shares of live traffic, growing; 100 comes last, written or not."""
    checks: list[Check] = Field(default_factory=list)
    """What must be so during the mirror and every step with a duration."""
    min_requests: Annotated[int, Field(ge=0)] | None = None
    """How many requests the new deployment must have answered to be judged; 1 when there are checks."""
    failures: Annotated[int, Field(ge=0)] = 0
    """How many readings beyond a limit are forgiven in each phase."""
    on_failure: Literal["rollback", "hold"] = "rollback"
    """The traffic goes back in any case; then `rollback` deletes the new deployment, `hold` keeps it."""
    keep: Annotated[int, Field(ge=0)] = 1
    """How many earlier deployments of ours stay on the endpoint, without traffic, to go back to."""

    @model_validator(mode="after")
    def _growing(self) -> Self:
        shares = [step.percent for step in self.steps]
        if shares != sorted(set(shares)):
            raise ValueError(f"the steps' percents are {shares}: each must be more than the one before")
        return self

    @property
    def needed(self) -> int:
        """How many requests it takes to judge; 0 when nothing is judged."""
        return self.min_requests if self.min_requests is not None else int(bool(self.checks))


class Timeouts(Parameters):
    """How long what Azure does may take; a step's own `timeout` is for the whole rollout."""

    endpoint: Duration = 1800.0
    """Making the endpoint."""
    deployment: Duration = 10_800.0
    """Provisioning the deployment."""
    traffic: Duration = 1800.0
    """Each move of the traffic."""
