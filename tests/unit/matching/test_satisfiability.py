"""Rules that can never match: told where they are, and never said of one that can."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlevents.events import parse
from mlevents.matching.condition_tree import AnyOf
from mlevents.matching.satisfiability import find_impossible_alternatives, find_impossible_condition
from mlevents.matching.where import bind_where
from tests.unit.matching.where_samples import refuse, wheres, wire_events
from tests.unit.rules.rule_files import HEAD, TELL, load_text, problems

REGISTERED = ("model.registered",)


def never(where, kinds=REGISTERED):
    bound = bind_where(where, kinds, "where", refuse)
    assert bound
    return list(find_impossible_condition(bound, kinds))


@settings(max_examples=500, deadline=None)
@given(found=st.data(), sent=wire_events())
def test_a_where_that_holds_for_an_event_is_reachable(found, sent):
    event = parse(sent[1])
    where = bind_where(found.draw(wheres(event.kinds)), event.kinds, "where", lambda path, text: None)
    if where and where.holds(event.names):
        assert list(find_impossible_condition(where, event.kinds)) == []
        assert list(find_impossible_condition(where, ("*",))) == []
        closed = {path for path, _ in find_impossible_alternatives(where, event.kinds)}
        alternatives = [
            (f"{part.path}[{index}]", node)
            for part in where.conjuncts()
            if isinstance(part, AnyOf)
            for index, node in enumerate(part.nodes)
        ]
        assert [path for path, node in alternatives if path in closed and node.holds(event.names)] == []


@pytest.mark.parametrize(
    ("where", "path", "text"),
    [
        (
            {"model": {"name": {"prefix": "a-"}}, "not": {"model": {"name": {"prefix": "a"}}}},
            "where.not",
            "excludes everything that where.model.name allows, so the rule never matches",
        ),
        (
            {"model": {"name": {"matches": "a+", "not": {"matches": "a+"}}}},
            "where.model.name",
            "excludes everything that where.model.name allows",
        ),
        (
            {"model": {"name": "a"}, "any": [{"model": {"name": "b"}}, {"model": {"name": {"suffix": "c"}}}]},
            "where.any",
            "excludes everything that where.model.name allows",
        ),
        (
            {
                "model": {"name": "a", "version": "1"},
                "any": [{"model": {"name": "b"}}, {"model": {"version": "2"}}],
            },
            "where.any",
            "no event can fulfil this together with the conditions before it, so the rule never matches",
        ),
        ({"any": [{"event": {"type": "run.completed"}}]}, "where.any", "no event can fulfil this, so"),
        (
            {"not": {"any": [{"model": {"name": {"present": True}}}, {"model": {"name": {"absent": True}}}]}},
            "where.not",
            "no event can fulfil this, so",
        ),
    ],
)
def test_a_where_that_never_holds_is_told_at_the_condition_too_many(where, path, text):
    [(found, said)] = never(where)
    assert found == path
    assert text in said


def test_names_that_no_event_has_together_are_told():
    [(path, said)] = never(
        {"model": {"name": "x"}, "run": {"status": "failed"}}, ("model.registered", "run.status_changed")
    )
    assert (path, said) == (
        "where.run.status",
        "no event has both model.name and run.status as required, so the rule never matches: write two rules",
    )
    drift = {"drift": {"coefficient": {"gte": 0.3}, "signal": "inputs"}}
    assert never(drift, ("drift.detected",))


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        ({"drift": {"coefficient": {"gte": 0.3}}, "run": {"id": {"absent": True}}}, ("drift.detected",)),
        ({"event": {"type": "run.status_changed"}}, ("drift.detected",)),
        ({"model": {"name": "a"}, "not": {"model": {"name": "a", "version": "1"}}}, REGISTERED),
        ({"deployment": {"models": {"all": ["a:1", "b:2"]}}}, ("model.deployed",)),
        ({"model": {"name": {"absent": True}}}, ("*",)),
        ({"any": [{"model": {"tags": {f"t{n}": "x"}}} for n in range(300)]}, REGISTERED),
    ],
)
def test_what_can_hold_is_left_alone(where, kinds):
    assert never(where, kinds) == []


def test_a_rule_that_never_matches_is_an_error_of_its_file():
    where = "    where: {model: {name: a, tags: {not: {stage: x}, stage: x}}}\n"
    assert problems(HEAD + where + TELL) == [
        "rules.yaml:8:54: rules[0].where.model.tags.stage: excludes everything that "
        "where.model.tags.not allows, so the rule never matches: remove one"
    ]


def test_an_alternative_that_never_holds_is_a_warning():
    where = (
        "    where:\n      model: {name: a}\n      any:\n"
        "        - model: {name: b}\n        - model: {version: '1'}\n"
    )
    warnings = [str(one) for one in load_text(HEAD + where + TELL).warnings]
    assert (
        "rules.yaml:11:11: rules[0].where.any[0]: no event can fulfil this alternative: remove it" in warnings
    )
