"""What `explain` shows of a `where` agrees with what `plan` decides."""

from hypothesis import given, settings

from mlevents.events import parse
from mlevents.matching.match import plan
from mlevents.matching.match_trace import TraceLine, trace_conditions
from mlevents.matching.where import bind_where
from tests.unit.matching.where_samples import close_pairs, refuse, rules, wire_events


def top(lines):
    """The conditions and combinations that must all hold: those that stand in no `any` and no `not`."""
    found, inside = [], None
    for line in lines:
        if inside is not None and line.depth > inside:
            continue
        inside = line.depth if line.wanted is None and line.holds is not None else None
        found += [line] if line.holds is not None else []
    return found


@settings(max_examples=300, deadline=None)
@given(rules(), wire_events())
def test_what_is_seen_agrees_with_the_plan(file, sent):
    event = parse(sent[1])
    for verdict in plan(file, event):
        if verdict.kind and verdict.rule.where and verdict.rule.mode != "disabled":
            failing = [
                line for line in top(trace_conditions(verdict.rule.where, event.names)) if not line.holds
            ]
            assert verdict.matches is (not failing)
            if failing and failing[0].wanted is not None:
                assert verdict.failed
                assert failing[0].wanted == verdict.failed.wanted
                assert failing[0].found == verdict.failed.found


@settings(max_examples=300, deadline=None)
@given(close_pairs())
def test_what_is_seen_of_a_close_match_agrees_with_the_plan(pair):
    file, _, document = pair
    event = parse(document)
    for verdict in plan(file, event):
        lines = list(trace_conditions(verdict.rule.where, event.names))
        assert verdict.matches is all(line.holds for line in top(lines))


def test_the_tree_has_the_shape_of_the_where():
    names = {"model": {"name": "fraud-net", "version": "8", "tags": {"stage": "draft", "a.b": "x"}}}
    where = bind_where(
        {
            "model": {
                "name": {"prefix": "fraud-"},
                "tags": {"stage": "draft", "a.b": "x", "hold": {"absent": True}},
            },
            "any": [{"model": {"version": "9"}}, {"model": {"version": "8", "name": "x"}}],
            "not": {"model": {"tags": {"stage": "prod"}}},
        },
        ("model.registered",),
        "where",
        refuse,
    )
    assert where
    assert list(trace_conditions(where, names)) == [
        TraceLine(0, "model"),
        TraceLine(1, "name", True, {"prefix": "fraud-"}, "fraud-net"),
        TraceLine(1, "tags"),
        TraceLine(2, "stage", True, "draft", "draft"),
        TraceLine(2, "a.b", True, "x", "x"),
        TraceLine(2, "hold", True, {"absent": True}, None),
        TraceLine(0, "any of these", False),
        TraceLine(1, "model"),
        TraceLine(2, "version", False, "9", "8"),
        TraceLine(1, "all of these", False),
        TraceLine(2, "model"),
        TraceLine(3, "version", True, "8", "8"),
        TraceLine(3, "name", False, "x", "fraud-net"),
        TraceLine(0, "not", True),
        TraceLine(1, "model"),
        TraceLine(2, "tags"),
        TraceLine(3, "stage", False, "prod", "draft"),
    ]


def test_names_that_lead_elsewhere_are_headings_again():
    names = {"model": {"tags": {"stage": "draft"}, "properties": {"stage": "x"}}}
    below = {"tags": {"stage": "draft"}, "properties": {"stage": "x"}}
    where = bind_where({"model": below}, ("model.registered",), "where", refuse)
    assert where
    assert list(trace_conditions(where, names)) == [
        TraceLine(0, "model"),
        TraceLine(1, "tags"),
        TraceLine(2, "stage", True, "draft", "draft"),
        TraceLine(1, "properties"),
        TraceLine(2, "stage", True, "x", "x"),
    ]
