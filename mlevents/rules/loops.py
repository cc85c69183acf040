"""Rules that would start themselves, because one of their actions causes their event."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlevents.actions.action import Action
from mlevents.conditions.equals import Equals
from mlevents.conditions.present import Present
from mlevents.events.event_forms import forms
from mlevents.matching.condition_tree import FieldCondition
from mlevents.matching.satisfiability import can_match
from mlevents.matching.where import ANY_EVENT, Where
from mlevents.registry import Registry
from mlevents.yamlfile.positions import PathProblem, join_path

TAGS = ("mlevents.event", "mlevents.response", "mlevents.depth")
RULE_TAG = "mlevents.rule"


def find_loops(
    written: Mapping[str, Any], kinds: Sequence[str], where: Where | None, actions: Registry[type[Action]]
) -> Iterator[PathProblem]:
    """Each step that may cause an event of its own rule, and the condition that prevents it.

    A rule whose `where` cannot hold for an event with the tags of our actions is not reported.
    """
    parts = where.conjuncts() if where else ()
    for index, step in enumerate(steps if isinstance(steps := written.get("do"), list) else ()):
        uses = step.get("uses") if isinstance(step, dict) else None
        is_known = isinstance(uses, str) and uses in actions
        for kind in _list_causes(actions.find(str(uses)), step) if is_known else ():
            again = kind in kinds or ANY_EVENT in kinds
            if again and can_match([*parts, *_list_tag_conditions(kind, str(written.get("id")))], (kind,)):
                yield join_path("do", index, "uses"), _describe_loop(str(uses), kind)
                break


def _list_causes(action: type[Action], step: Mapping[str, Any]) -> tuple[str, ...]:
    needed = not action.causes_with or action.causes_with in (step.get("with") or ())
    return action.causes if needed else ()


def _list_tag_conditions(kind: str, rule: str) -> Iterator[FieldCondition]:
    """The tags that an event about the result of a response has."""
    at = (_find_root(kind), "tags")
    yield FieldCondition("", (*at, RULE_TAG), "text", Equals(rule), rule)
    for tag in TAGS:
        yield FieldCondition("", (*at, tag), "text", Present(True), {"present": True})


def _find_root(kind: str) -> str:
    return forms(kind)[0].type.about[0]


def _describe_loop(uses: str, kind: str) -> str:
    condition = f"{{{_find_root(kind)}: {{tags: {{mlevents.response: {{absent: true}}}}}}}}"
    return (
        f"{uses} may cause {kind}, which starts this rule again: "
        f"break the loop with `where: {condition}`, which ignores what responses created"
    )
