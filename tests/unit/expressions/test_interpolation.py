"""`${…}`: what it inserts, what is refused when rules load, and what is missing in an event."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlevents.expressions.interpolation import ExpressionError, find_roots, render_value
from mlevents.expressions.name_check import check_expressions
from mlevents.matching.where import list_names

TAGS = {"a.b": "dot", "items": "it", "n": "3", "none": None, "markup": "<b>&</b>", "trick": "${model.name}"}
NAMES = {
    "model": {"name": "Fraud Net", "version": "8", "tags": TAGS},
    "drift": {"coefficient": 0.5, "features": ["age", "amount"]},
    "run": {"root": True},
}
KNOWN = list_names(("model.registered",))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no expression, $5, {{ x }} and {% y %}", "no expression, $5, {{ x }} and {% y %}"),
        ("${model.name}", "Fraud Net"),
        ("${ model.name }", "Fraud Net"),
        ("${drift.coefficient}", 0.5),
        ("${run.root}", True),
        ("${drift.features}", ["age", "amount"]),
        ("${drift.features[1]}", "amount"),
        ("is ${run.root}: ${drift.coefficient} of ${drift.features}", 'is true: 0.5 of ["age", "amount"]'),
        ("${model.name}:${model.version}", "Fraud Net:8"),
        ("${model.tags['a.b']}", "dot"),
        ("${model.tags.items}", "it"),
        ("${model.tags.markup}", "<b>&</b>"),
        ("${model.tags.trick}", "${model.name}"),
        ("$${model.name}", "${model.name}"),
        ("$$${model.version}", "$${model.version}"),
        ("${'}' ~ \"}\"}", "}}"),
        ("${{'a': {'b': model.version}}}", {"a": {"b": "8"}}),
        ("${model.tags.x | default(model.name)}", "Fraud Net"),
        ("${model.tags.none | default('-')}", "-"),
        ("${gone.altogether | default(0.0)}", 0.0),
        ("${model.tags.n | int + 1}", 4),
        ("${model.tags.n | float}", 3.0),
        ("${model.name | slug}", "fraud-net"),
        ("${'Ünder  score_' | slug(7)}", "under-s"),
        ("${'Ünder  score_' | slug(6)}", "under"),
        ("${model.name | lower ~ '!' | upper}", "fraud net!"),
        ("${model.name | truncate(6)}", "Fraud…"),
        ("${model.name | truncate(60)}", "Fraud Net"),
        ("${model.name | replace(' ', '_')}", "Fraud_Net"),
        ("${drift.features | json}", '["age", "amount"]'),
        ("${'high' if drift.coefficient >= 0.3 and not run.root else 'low'}", "low"),
        ("${'Net' in model.name}", True),
        ("${-drift.coefficient * 2 + 7 // 2 - 7 % 4}", -1.0),
    ],
)
def test_render(text, value):
    rendered = render_value(text, NAMES)
    assert rendered == value
    assert type(rendered) is type(value)


def test_values_are_filled_in_at_any_depth_and_keys_are_not():
    written = {"${model.name}": ["${model.version}", {"deep": "v${model.version}"}], "n": 1, "none": None}
    assert render_value(written, NAMES) == {"${model.name}": ["8", {"deep": "v8"}], "n": 1, "none": None}


@pytest.mark.parametrize(
    "text",
    [
        "${model.tags.endpoint}",
        "x${model.tags.endpoint | upper}",
        "${model.tags.endpoint ~ 'x'}",
        "${model.tags.endpoint == 'x'}",
        "${'x' if model.tags.endpoint else 'y'}",
        "${[model.tags.endpoint]}",
        "${model.tags.endpoint + 1}",
        "${model.tags.other | default(model.tags.endpoint)}",
    ],
)
def test_a_missing_value_is_named(text):
    with pytest.raises(ExpressionError, match=re.escape("model.tags.endpoint is missing in this event")):
        render_value(text, NAMES)


def test_null_counts_as_missing_and_a_dotted_key_is_named_as_written():
    with pytest.raises(ExpressionError, match=r"model\.tags\.none is missing"):
        render_value("${model.tags.none}", NAMES)
    with pytest.raises(ExpressionError, match=r"model\.tags\['x\.y'\] is missing"):
        render_value("${model.tags['x.y']}", NAMES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${1 / 0}", "division by zero"),
        ("${'a' < 1}", "not supported"),
        ("${'x' | int}", "'x' is not a number"),
        ("${'日本' | slug}", "no letter and no digit"),
        ("${'a' * 1000000000}", "needs numbers"),
        ("${'%1000000000d' % 1}", "needs numbers"),
        ("${1e200 * 1e200}", "out of range"),
        ("${model.name | replace('', 'x')}", "is empty: write the text to replace"),
    ],
)
def test_what_cannot_be_worked_out_says_why(text, message):
    with pytest.raises(ExpressionError, match=re.escape(message)):
        render_value(text, NAMES)


@pytest.mark.parametrize(
    "text", ["${big ~ big}", "${big + big}", "${big}${big}", "${big | replace('a', 'aa')}"]
)
def test_no_value_grows_out_of_hand(text):
    with pytest.raises(ExpressionError, match="1,000,000"):
        render_value(text, {"big": "a" * 600_000})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${modle.name}", "unknown name 'modle' (did you mean 'model'?)"),
        ("${model.nam}", "model has no 'nam' (did you mean 'name'?)"),
        ("${drift.monitor}", "unknown name 'drift': it belongs to drift.detected"),
        ("${model.tags.a.b}", "write a key with dots as model.tags['a.b']"),
        ("${model.name.x}", "model.name is a text and has no 'x'"),
        ("${steps.x.y}", "only later steps can read"),
        ("${failure.step}", "only in on_failure"),
        ("${group.count}", "only in a rule with `group`"),
        ("${env.HOME}", "only in workspaces and connections"),
        ("${self}", "unknown name 'self'"),
        ("ab ${model.name", "column 4: a `}` is missing"),
        ("ab ${'x}", "column 4: the quote ' is not closed"),
        ("ab ${}", "column 4: `${}` is empty"),
        ("ab ${model.name foo}", "column 6: `model.name foo`: 'foo' is not expected here"),
        ("${model.name | slg}", "unknown filter 'slg' (did you mean 'slug'?)"),
        ("${model.name | safe}", "unknown filter 'safe'"),
        ("${model.name | default}", "takes 1 argument"),
        ("${model.name | truncate('x')}", "takes a whole number"),
        ("${model.name | truncate(0)}", "takes a whole number"),
        ("${model.name | default(value='x')}", "by position"),
        ("${'x' if model.name}", "add `else`"),
        ("${model.name.upper()}", "calls are not allowed"),
        ("${range(9)}", "calls are not allowed"),
        ("${''.__class__}", "only names have fields"),
        ("${('a' ~ 'b').x}", "only names have fields"),
        ("${model[model.name]}", "a key in [ ] is a text in quotes"),
        ("${model.name[1:2]}", "slices are not allowed"),
        ("${model.name is defined}", "tests with `is`"),
        ("${2 ** 99}", "`**` is not allowed"),
        ("${(1, 2)}", "tuples are not allowed"),
        ("${1e999}", "out of range"),
        ("${" + "(" * 200 + "1" + ")" * 200 + "}", "nested too deeply"),
        ("${" + "1+" * 60 + "1}", "nested deeper than 40 levels"),
        ("${'" + "x" * 3000 + "'}", "keep it within 2000"),
    ],
)
def test_what_is_wrong_is_found_without_an_event(text, message):
    [found] = check_expressions(text, KNOWN)
    assert message in found


def test_every_name_an_event_can_have_is_known():
    for root, fields in KNOWN.items():
        for field, kind in fields.items():
            key = ".anything" if kind == "texts" else ""
            assert check_expressions(f"${{{root}.{field}{key}}}", KNOWN) == []


def test_the_items_of_a_list_have_indexes_and_names():
    known = list_names(("drift.detected",))
    names = {"drift": {"breaches": [{"metric": "m", "value": 0.4}]}}
    assert check_expressions("${drift.breaches[0].metric}", known) == []
    assert render_value("${drift.breaches[0].value}", names) == 0.4
    assert render_value("${drift.breaches[1].value | default(0)}", names) == 0
    assert check_expressions("${drift.breaches.metric}", known) == [
        "drift.breaches.metric: drift.breaches is a list: write drift.breaches[0] for its first item"
    ]
    [found] = check_expressions("${drift.breaches[0].metrik}", known)
    assert "(did you mean 'metric'?)" in found


def test_steps_know_the_steps_before_them():
    extra = {"steps": {"deploy": "any"}}
    assert check_expressions("${steps.deploy.endpoint.url[0]}", KNOWN, extra) == []
    assert check_expressions("${steps.deplo.url}", KNOWN, extra) == [
        "no earlier step is named 'deplo' (did you mean 'deploy'?)"
    ]


def test_everything_wrong_in_a_value_is_found():
    assert len(check_expressions({"a": ["${x}", "${model.name}"], "b": {"c": "${"}}, KNOWN)) == 2


def test_roots_are_the_first_names():
    assert find_roots({"a": ["${model.name ~ steps.x}", "${1}", "text"]}) == {"model", "steps"}


plain = st.text(max_size=30).filter(lambda text: "$" not in text)


@given(plain, plain)
def test_text_around_an_expression_stays_as_it_is(before, after):
    assert render_value(f"{before}x${{model.version}}x{after}", NAMES) == f"{before}x8x{after}"


@given(plain)
def test_a_value_is_never_an_expression_itself(text):
    value = f"{text}${{model.name}}{{{{ 1 }}}}"
    assert render_value("${model.name}", {"model": {"name": value}}) == value


sources = st.lists(
    st.sampled_from(
        [*"()[]{}|~.,'\"$+-*/%<>=! 01", "model", "name", ".", " if ", " else ", " and ", "default", "int"]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=1000, deadline=None)
@given(sources)
def test_any_text_renders_to_json_or_raises_an_expression_error(source):
    text = f"${{{source}}}"
    try:
        json.dumps(render_value(text, NAMES))
    except ExpressionError as error:
        assert str(error)  # noqa: PT017
    assert all(check_expressions(text, KNOWN))
