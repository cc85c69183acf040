"""The model must be at least as good as the one that serves now: the champion.

```yaml
require: {metric_tag: accuracy, at_least: champion, tolerance: 0.01}
```

`metric_tag` is the tag that holds the number, on the new model and on the champion's registered model,
whose tags are read when the gate looks. Write `at_most` for a metric that is better when it is smaller,
and a number instead of `champion` for a fixed bar. Where nothing serves yet, there is no champion to beat.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import model_validator

from mlevents.conditions.condition import as_number
from mlevents.gates.gate import Gate, Served, gate
from mlevents.yamlfile.key_choice import KeyChoice
from mlevents.yamlfile.positions import PathProblem

Bar = Literal["champion"] | float


@gate("require")
class Require(Gate):
    """The model must be as good as the one that serves now, or as a number says."""

    position = 50
    stage = "lease"
    served_tags = True
    key_choices = (KeyChoice("at_least"), KeyChoice("at_most"))

    metric_tag: str
    """name the model's tag that holds the metric."""
    at_least: Bar | None = None
    """`champion` or a number, for a metric that is better when it is greater."""
    at_most: Bar | None = None
    """`champion` or a number, for a metric that is better when it is smaller."""
    tolerance: float = 0.0
    """How far short of it the model may fall."""

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:  # noqa: ARG003
        if "tags" not in names.get("model", {}):
            yield "", "the events of this rule have no model tags: use `require` with model.registered"

    @model_validator(mode="after")
    def _tolerance(self) -> Self:
        if self.tolerance < 0:
            raise ValueError(f"`tolerance` is {self.tolerance:g}: write a number of at least 0")
        return self

    @property
    def paths(self) -> set[tuple[str | int, ...]]:
        return {("model", "tags", self.metric_tag)}

    def objection(self, names: Mapping[str, Any], /, serving: Sequence[Served]) -> str | None:
        bar: Bar | None = self.at_least if self.at_least is not None else self.at_most
        tags = (names.get("model") or {}).get("tags") or {}
        mine = as_number(tags.get(self.metric_tag))
        if mine is None:
            return f"the model has no number in its tag '{self.metric_tag}'"
        if bar == "champion" and not serving:
            return None
        champion = serving[0] if bar == "champion" else None
        wanted = bar if champion is None else as_number(champion.tags.get(self.metric_tag))
        whose = f"the champion {champion.model}:{champion.version}" if champion else "the bar"
        if not isinstance(wanted, int | float):
            return f"{whose} has no number in its tag '{self.metric_tag}' to compare with: set it"
        return self._short(mine, wanted, whose)

    def _short(self, mine: float, wanted: float, whose: str) -> str | None:
        within = f", within {self.tolerance:g}" if self.tolerance else ""
        if self.at_least is not None and mine < wanted - self.tolerance:
            return f"{self.metric_tag} is {mine:g}, less than {wanted:g} of {whose}{within}"
        if self.at_most is not None and mine > wanted + self.tolerance:
            return f"{self.metric_tag} is {mine:g}, more than {wanted:g} of {whose}{within}"
        return None
