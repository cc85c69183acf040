"""From rules as written to rules that are ready: steps get their ids, and what the defaults say."""

from typing import Any

from mlevents.gates.gate import gate
from mlevents.rules.model import Defaults, Retry, Rule, Step
from mlevents.rules.steps import next_id
from mlevents.rules.syntax import RuleText
from mlevents.rules.where import Where


def ready(written: RuleText, where: Where | None, defaults: Defaults) -> Rule:
    """The rule with its bound conditions; `defaults` are ready themselves."""
    own = written.on_failure
    return Rule(
        id=written.id,
        description=written.description,
        event=("*",) if "*" in written.event else written.event,
        where=where,
        mode=written.mode,
        max_age=defaults.max_age if written.max_age is None else written.max_age,
        dedupe=written.dedupe,
        gates=_gates(written),
        steps=_steps(written.do, defaults.retry),
        on_failure=defaults.on_failure if own is None else _steps(own, defaults.retry),
    )


def _gates(written: RuleText) -> dict[str, dict[str, Any]]:
    """The gates that look at Azure, as written."""
    found = {name: getattr(written, name) for name in gate.names()}
    return {name: one.model_dump(exclude_none=True) for name, one in found.items() if one is not None}


def ready_defaults(written: Defaults) -> Defaults:
    """The defaults with their own steps ready."""
    return written.model_copy(update={"on_failure": _steps(written.on_failure, written.retry)})


def _steps(written: tuple[Step, ...], retry: Retry) -> tuple[Step, ...]:
    steps: dict[str, Step] = {}
    for step in written:
        name = step.id or next_id(step.uses, steps)
        own = {key: getattr(step.retry, key) for key in step.retry.model_fields_set}
        steps[name] = step.model_copy(update={"id": name, "retry": retry.model_copy(update=own)})
    return tuple(steps.values())
