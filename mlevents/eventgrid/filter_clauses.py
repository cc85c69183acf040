"""Compiles a rule's conditions to clauses of an Event Grid filter that never drops a match.

Each clause follows from the condition for every form of the value that Azure may send: a text may be a
number or a boolean in the JSON (`8` equals `"8"`); null and, outside tags, an empty text count as
missing. Assumed, as documented: the members are in `data`; the value of a tag is not an object or a
list; no two keys of an event differ only in case; the subject names the model.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlevents.canonical import fold
from mlevents.conditions.condition import Clause
from mlevents.eventgrid.field_map import filter_keys, sign_of, subject_parts
from mlevents.events.event_type import EventType
from mlevents.matching.condition_tree import AnyOf, FieldCondition, Not
from mlevents.rules.model import Rule

type Clauses = dict[tuple[str, str], AdvancedFilter]
"""The clauses of a filter by key and operator."""

PRESENT = "IsNotNull"
ABSENT = "IsNullOrUndefined"
SUBJECT = "subject"
NOT_SAFE = "`filters: safe` does not filter on keys inside `data`"

_LITERALS = ("true", "false")
_EVERYWHERE = ("event", "workspace")
_COMPUTED = "computed, or taken from more than one place in the event"
_SILENT = "Event Grid cannot filter on this operator"
_LOOSER = "Event Grid has no such operator"
_NUMBER_IN_TEXT = "Event Grid does not read numbers in text"


@dataclass(frozen=True, slots=True)
class AdvancedFilter:
    """One advanced filter; in JSON a comparison has a single `value`, the others have `values`."""

    operator: str
    key: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseOrigin:
    """The clause of the condition at a path, if it has one, and why it is wider than the condition."""

    path: str
    clause: AdvancedFilter | None
    reason: str = ""


@dataclass(slots=True)
class RuleClauses:
    """The clauses that hold for every event of one type that a rule matches."""

    rule: str
    origins: list[ClauseOrigin] = field(default_factory=list)

    def clauses(self) -> Clauses:
        """One clause for each key and operator, the first where there are several."""
        found: Clauses = {}
        for origin in self.origins:
            if origin.clause:
                found.setdefault((origin.clause.key, origin.clause.operator), origin.clause)
        return found


def compile_clauses(rule: Rule, known: type[EventType]) -> RuleClauses | None:
    """The clauses of the rule for events of this type; None if it matches none of them.

    `drop_data_clauses` keeps those without a risk.
    """
    if rule.mode == "disabled" or not _asks(rule, known):
        return None
    found = RuleClauses(rule.id)
    if known.kind not in rule.event and "*" not in rule.event:
        found.origins.append(_sign(known, rule.event))
    names = known.all_fields()
    for part in rule.where.conjuncts() if rule.where else ():
        if isinstance(part, FieldCondition) and _never_has(part, names):
            if not part.condition.holds(None):
                return None
        else:
            found.origins.append(_origin(part, known))
    return found


def drop_data_clauses(found: RuleClauses) -> RuleClauses:
    """The clauses without those on keys inside `data`: Azure's handling of their case is not verified.

    Payloads with different case exist, so such a clause might drop an event that a rule matches.
    """
    kept = [
        one if one.clause is None or one.clause.key == SUBJECT else ClauseOrigin(one.path, None, NOT_SAFE)
        for one in found.origins
    ]
    return RuleClauses(found.rule, kept)


def _sign(known: type[EventType], kinds: tuple[str, ...]) -> ClauseOrigin:
    """The clause that an event of a derived kind fulfils."""
    key = sign_of(known, kinds)
    return (
        ClauseOrigin("event", AdvancedFilter(PRESENT, key)) if key else ClauseOrigin("event", None, _COMPUTED)
    )


def _asks(rule: Rule, known: type[EventType]) -> bool:
    return "*" in rule.event or any(kind in rule.event for kind in known.kinds())


def _never_has(part: FieldCondition, names: Mapping[str, Mapping[str, object]]) -> bool:
    root, name = part.keys[:2]
    return root not in _EVERYWHERE and name not in names.get(root, {})


def _origin(part: FieldCondition | AnyOf | Not, known: type[EventType]) -> ClauseOrigin:
    if not isinstance(part, FieldCondition):
        return ClauseOrigin(part.path, None, "`any` and `not` cannot be filtered on")
    name, clause = ".".join(part.keys[:2]), part.condition.clause()
    if clause is None:
        return ClauseOrigin(part.path, None, _SILENT)
    if around := subject_parts(known).get(name):
        return _subject(part, clause, *around)
    key = filter_keys(known).get(name)
    if key is None:
        return ClauseOrigin(part.path, None, _COMPUTED)
    if len(part.keys) > 2:
        tag = part.keys[2]
        if not re.fullmatch(r"[^.\s]+", tag):
            return ClauseOrigin(part.path, None, f"Event Grid cannot address the key '{tag}'")
        key = f"{key}.{tag}"
    advanced, reason = _number(clause, key) if part.kind == "number" else _text(part, clause, key)
    return ClauseOrigin(part.path, advanced, reason)


def _subject(part: FieldCondition, clause: Clause, before: str, after: str) -> ClauseOrigin:
    if clause.operator not in ("In", "BeginsWith"):
        return ClauseOrigin(part.path, None, "only equality and prefix can be read from the subject")
    end = after if clause.operator == "In" else ""
    heads = tuple(f"{before}{value}{end}" for value in clause.values)
    return ClauseOrigin(
        part.path, AdvancedFilter("StringBeginsWith", SUBJECT, heads), "" if clause.exact else _LOOSER
    )


def _number(clause: Clause, key: str) -> tuple[AdvancedFilter | None, str]:
    if clause.operator == ABSENT:
        return None, "text that is not a number counts as missing"
    operator = clause.operator if clause.operator == PRESENT else f"Number{clause.operator}"
    return AdvancedFilter(operator, key, clause.values), "" if clause.exact else _LOOSER


def _text(part: FieldCondition, clause: Clause, key: str) -> tuple[AdvancedFilter | None, str]:
    if clause.operator == PRESENT:
        return AdvancedFilter(PRESENT, key), "" if clause.exact else _LOOSER
    if clause.operator == ABSENT:
        is_tag = len(part.keys) > 2
        return (
            (AdvancedFilter(clause.operator, key), "")
            if is_tag
            else (None, "an empty text counts as missing")
        )
    if clause.operator == "NotIn":
        exact = all(isinstance(value, str) and value and value.isascii() for value in clause.values)
        return (
            (AdvancedFilter("StringNotIn", key, clause.values), "")
            if exact
            else (None, "Event Grid folds case differently")
        )
    if clause.operator not in _FROM_NO_TEXT:
        return AdvancedFilter(PRESENT, key), _NUMBER_IN_TEXT
    if any(_FROM_NO_TEXT[clause.operator](fold(str(value))) for value in clause.values):
        return AdvancedFilter(PRESENT, key), "Azure may send the value as a number or a boolean"
    return AdvancedFilter(f"String{clause.operator}", key, clause.values), "" if clause.exact else _LOOSER


_FROM_NO_TEXT: Mapping[str, Callable[[str], bool]] = {
    "In": lambda text: text in _LITERALS or re.match(r"-?[0-9]", text) is not None,
    "BeginsWith": lambda text: _part_of_literal(text, str.startswith) or text[0] in "-0123456789",
    "EndsWith": lambda text: _part_of_literal(text, str.endswith) or text[-1] in "0123456789",
    "Contains": lambda text: (
        _part_of_literal(text, str.__contains__) or not set(text) - set("-+.e0123456789")
    ),
}
"""Whether a number, true or false, as text, can equal, begin with, end with or contain this text."""


def _part_of_literal(text: str, holds: Callable[[str, str], bool]) -> bool:
    return any(holds(literal, text) for literal in _LITERALS)
