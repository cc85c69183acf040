"""One check of a rollout: a metric of the new deployment and its limits.

```yaml
checks:
  - {metric: error_rate, max: 0.01, window: 5m}
  - {metric: latency_p95, max: 1.2, of: stable}
```
"""

from typing import Literal, Self

from pydantic import ConfigDict, model_validator

from mlevents.duration import PositiveDuration, parse_duration
from mlevents.yamlfile.described_model import DescribedModel


class Parameters(DescribedModel):
    """A part of an action's parameters: no unknown names, no conversion, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Check(Parameters):
    """One metric of the new deployment, against a limit or against the stable deployment."""

    metric: Literal["error_rate", "latency_p50", "latency_p90", "latency_p95", "latency_p99", "requests"]
    """name the metric."""
    max: float | str | None = None
    """The most that is healthy: a share, a duration, a number, or with `of: stable` a factor."""
    min: float | str | None = None
    """The least that is healthy."""
    of: Literal["stable"] | None = None
    """With `stable`, the limits are factors of the stable deployment's value in the same minutes."""
    plus: float | str | None = None
    """Added to a limit that is a factor, so that a stable deployment without errors still allows some."""
    window: PositiveDuration | None = None
    """The last minutes to check, more when they hold too few requests; the complete phase by default."""

    @model_validator(mode="after")
    def _limits(self) -> Self:
        if self.max is None and self.min is None:
            raise ValueError(f"the check of {self.metric} has no limit: give `max` or `min`")
        if self.plus is not None and self.of is None:
            raise ValueError("`plus` is added to a factor: write `of: stable`, or remove `plus`")
        for name in ("max", "min", "plus"):
            limit(self, name)
        return self


def limit(check: Check, name: str) -> float | None:
    """A limit of the check as a number, in seconds for a latency; raises ValueError for an invalid limit."""
    value: float | str | None = getattr(check, name)
    factor = check.of is not None and name != "plus"
    if value is None or (isinstance(value, str) and "${" in value):
        return None
    if check.metric.startswith("latency") and not factor:
        return parse_duration(value)
    if isinstance(value, str):
        raise ValueError(f"`{name}` of {check.metric} is '{value}': write a number without quotes")  # noqa: TRY004
    if value < 0 or (check.metric == "error_rate" and not factor and value > 1):
        bounds = "from 0 to 1, such as 0.01 for 1 %" if check.metric == "error_rate" else "from 0"
        raise ValueError(f"`{name}` of {check.metric} is {value:g}: write a number {bounds}")
    return float(value)
