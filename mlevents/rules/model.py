"""Rules as the app uses them: loaded, checked and bound."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SkipValidation, WithJsonSchema

from mlevents.duration import Duration, PositiveDuration
from mlevents.errors import Problem
from mlevents.gates.dedupe import Dedupe
from mlevents.gates.gate import AnyGate
from mlevents.gates.max_age import MaxAge
from mlevents.matching.derivation import derive_once
from mlevents.matching.where import Where
from mlevents.workspace_id import parse_workspace_key
from mlevents.yamlfile.described_model import DescribedModel

Mode = Literal["live", "shadow", "disabled"]
FilterWidth = Literal["safe", "narrow"]
"""How much the filters of Event Grid subscriptions compare."""

THIRTY_DAYS = 30 * 86_400.0
STEP_ID_PATTERN = r"^[a-z][a-z0-9_-]{0,59}$"


class StrictModel(DescribedModel):
    """What people write: no unknown keys, no conversions, no later changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, serialize_by_alias=True)


def _step_id(text: str) -> str:
    if not re.fullmatch(STEP_ID_PATTERN, text):
        raise ValueError(
            f"'{text}' is not a valid step id: use lower-case letters, digits, '_' and '-', "
            "a letter first, at most 60 characters"
        )
    return text


class Retry(StrictModel):
    """How often and how soon a step is retried after a transient error."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    """The number of attempts in total."""
    first: Duration = 5.0
    """The wait after the first failure; it doubles with each attempt."""
    max: Duration = 300.0
    """The longest wait between two attempts."""


class Step(StrictModel):
    """One action in one rule."""

    uses: str
    """name an action."""
    with_: Annotated[dict[str, Any], Field(alias="with")] = {}  # noqa: RUF012 - pydantic copies it
    """The action's parameters; `${…}` inserts values of the event."""
    id: Annotated[
        str, AfterValidator(_step_id), WithJsonSchema({"type": "string", "pattern": STEP_ID_PATTERN})
    ] = ""
    """What later steps call this one in `${steps.<id>.…}`; the action's name when left out."""
    if_: Annotated[str | bool | None, Field(alias="if")] = None
    """An expression; the step is skipped when it is false."""
    retry: Retry = Retry()
    """How to retry the step; missing values come from `defaults`."""
    timeout: PositiveDuration | None = None
    """How long the step may take, including waits."""


class Defaults(StrictModel):
    """The defaults of rules and steps."""

    max_age: MaxAge | None = None
    """An event older than this is recorded, never acted on."""
    retention: PositiveDuration = THIRTY_DAYS
    """How long ended responses are kept: it must be longer than each `max_age` and a day."""
    retry: Retry = Retry()
    """How steps are retried."""
    on_failure: Annotated[tuple[Step, ...], Field(strict=False)] = ()
    """The steps to perform when a step fails, in a rule without an `on_failure` of its own."""


class Rule(BaseModel):
    """One rule, ready to match: its conditions are bound, its steps have their ids and retries.

    `event` holds the kinds that it asks for, or `("*",)`; `gates` are in the order in which they look;
    `on_failure` is the rule's own or the defaults'.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    id: str
    description: str = ""
    event: tuple[str, ...]
    where: SkipValidation[Where | None]
    mode: Mode = "live"
    gates: SkipValidation[Mapping[str, AnyGate]] = {}
    steps: tuple[Step, ...]
    on_failure: tuple[Step, ...] = ()

    @property
    def max_age(self) -> float | None:
        """The seconds of the gate `max_age`."""
        found = self.gates.get("max_age")
        return found.root if isinstance(found, MaxAge) else None

    @property
    def dedupe(self) -> str | None:
        """The expression of the gate `dedupe`."""
        found = self.gates.get("dedupe")
        return found.root if isinstance(found, Dedupe) else None


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule file without errors; everything is in file order.

    `workspaces` maps a name to its ARM id. `connections` are as written, with their `type`, each
    `${env.NAME}` filled in and each `{setting: NAME}` kept. `files` are the texts of the files
    that steps name. `endpoints` are the patterns of the endpoints that an event may name. `tests` is the
    number of tests that passed. `written_workspaces` are their ids with each `${env.NAME}` as written.
    """

    rules: tuple[Rule, ...]
    workspaces: Mapping[str, str]
    connections: Mapping[str, Mapping[str, Any]]
    defaults: Defaults
    path: Path
    files: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[str, ...] = ()
    filters: FilterWidth = "safe"
    warnings: tuple[Problem, ...] = ()
    tests: int = 0
    written_workspaces: tuple[str, ...] = ()

    @property
    def workspaces_unsure(self) -> bool:
        """Whether the id of a workspace has an app setting that is not set here."""
        return any(one.setting and one.path.startswith("workspaces.") for one in self.warnings)

    def allows(self, topic: str) -> bool:
        """Whether the app may act on events of this topic: its workspace is listed, or none is."""
        if not self.workspaces:
            return True
        key = parse_workspace_key(topic)
        return key is not None and key in _list_workspace_keys(self)


@derive_once
def _list_workspace_keys(rules: Rules) -> frozenset[str | None]:
    return frozenset(map(parse_workspace_key, rules.workspaces.values()))
