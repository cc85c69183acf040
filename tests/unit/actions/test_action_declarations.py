"""What an action declares exists: its verbs as methods, its orchestrators as registered functions."""

import inspect
from enum import StrEnum
from pkgutil import resolve_name

import pytest

from mlevents.actions.action import Action, Done, Outcome, StepContext, action
from mlevents.orchestration.step_orchestrators import find_step_orchestrators
from mlevents.orchestration.step_plan import StepOrchestration
from mlevents.services.services import Services


class Verb(StrEnum):
    PERFORM = "perform"
    REPORT = "report"


def declare(verbs: type[StrEnum], serving: str | None = None, **methods: object) -> type[Action]:
    """An action with these verbs and methods; `serving` is the verb that gates ask."""

    def perform(self: Action, context: StepContext, services: Services) -> Outcome:
        return Done("")

    own = StepOrchestration("Move", "MoveBack", serving, "notice") if serving else None
    members = {"__module__": __name__, "__qualname__": "Move", "perform": perform}
    return type("Move", (Action,), {**members, "verbs": verbs, "orchestration": own, **methods})


def test_a_verb_without_a_method_is_refused() -> None:
    with pytest.raises(TypeError, match="Move has no verb 'report'"):
        declare(Verb)


def test_a_verb_that_gates_ask_is_a_verb_of_the_action() -> None:
    def report(self: Action, context: StepContext, services: Services) -> Outcome:
        return Done("")

    with pytest.raises(TypeError, match="Move has no verb 'look'"):
        declare(Verb, serving="look", report=report, look=report)
    with pytest.raises(TypeError, match="Move has no verb 'look'"):
        declare(Verb, serving="look", report=report)
    assert declare(Verb, serving="report", report=report).verbs is Verb


def test_each_declared_orchestrator_is_registered_and_each_registered_one_declared() -> None:
    plans = [one.orchestration for _, one in action.items() if one.orchestration]
    declared = [name for plan in plans for name in (plan.name, plan.recovery)]
    assert declared, "no action has an orchestrator"
    places = find_step_orchestrators()
    assert sorted(declared) == sorted(places)
    assert all(
        inspect.isgeneratorfunction(resolve_name(place)) or callable(resolve_name(place))
        for place in places.values()
    )
