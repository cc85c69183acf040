"""Laws of parse: what it raises, what it does not care about, and that nothing gets lost."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import EventError
from mlevents.events import NAMES, Event, parse, parse_all
from mlevents.events.event_type import Items, NameType
from tests.unit.events.event_samples import cased, cloud, pascal, real_events, wire

REAL = real_events()
TYPES = {"text": str, "number": float, "boolean": bool, "texts": dict, "list": list}


def has_type(said: Any, declared: NameType) -> bool:
    if isinstance(declared, Mapping):
        return all(has_type(value, declared[name]) for name, value in said.items())
    if not isinstance(declared, Items):
        return isinstance(said, TYPES[declared])
    return all(has_type(value, declared.fields[name]) for item in said for name, value in item.items())


strings = st.text(st.characters(), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=12,
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
tag_maps = st.none() | st.dictionaries(texts, st.none() | texts | st.integers() | st.booleans(), max_size=4)
MEMBERS = {
    "ModelRegistered": st.fixed_dictionaries(
        {}, optional={"modelName": texts, "modelVersion": texts | st.integers(), "modelTags": tag_maps}
    ),
    "ModelDeployed": st.fixed_dictionaries(
        {}, optional={"serviceName": texts, "modelIds": texts, "serviceTags": tag_maps}
    ),
    "RunStatusChanged": st.fixed_dictionaries(
        {}, optional={"runId": texts, "runType": texts | st.none(), "runStatus": texts, "runTags": tag_maps}
    ),
    "DatasetDriftDetected": st.fixed_dictionaries(
        {}, optional={"runId": texts, "driftCoefficient": st.floats(allow_nan=False, allow_infinity=False)}
    ),
}


@st.composite
def known_events(draw: st.DrawFn) -> dict[str, Any]:
    type_name = draw(st.sampled_from(sorted(MEMBERS)))
    return wire(type_name, draw(MEMBERS[type_name]))


@st.composite
def mutated_events(draw: st.DrawFn) -> dict[str, Any]:
    """A real event with one member, at any depth, replaced, removed or added."""
    event = copy.deepcopy(draw(st.sampled_from(REAL)))
    target = event
    while draw(st.booleans()) and (
        inner := [one for one in target.values() if isinstance(one, dict) and one]
    ):
        target = draw(st.sampled_from(inner))
    key = draw(st.sampled_from(sorted(target)) | strings)
    if draw(st.booleans()):
        target.pop(key, None)
    else:
        target[key] = draw(json_values)
    return event


def parse_or_refuse(document: Any) -> Event | None:
    """The event, held to its own promises; None when parse refused it with a message that can be printed."""
    try:
        event = parse(document)
    except EventError as error:
        str(error).encode()
        return None
    json.dumps(event.to_json(), allow_nan=False, ensure_ascii=False).encode()
    for kind in event.kinds:
        assert event.identity(kind)
    assert event.depth >= 0
    return event


@given(json_values)
def test_parse_raises_only_event_errors_for_any_json(value):
    parse_or_refuse(json.dumps(value))
    parse_or_refuse(value)
    for one in parse_all([value]):
        assert isinstance(one, Event | EventError)


@given(strings | st.binary(max_size=40))
def test_parse_raises_only_event_errors_for_any_text_or_bytes(document):
    parse_or_refuse(document)


@given(mutated_events())
def test_parse_raises_only_event_errors_for_a_mutated_event(event):
    assert parse_or_refuse(event) == parse_or_refuse(json.dumps([event]))


@given(st.sampled_from(REAL), st.data())
def test_parse_raises_only_event_errors_for_a_damaged_text(event, choice):
    text = json.dumps(event)
    start = choice.draw(st.integers(0, len(text)))
    end = choice.draw(st.integers(start, len(text)))
    parse_or_refuse(text[:start] + choice.draw(strings) + text[end:])


@pytest.mark.parametrize("depth", [100, 900, 1_500, 4_000, 100_000])
@pytest.mark.parametrize("escape", ["", "é", r"\u0000"])
def test_parse_raises_only_event_errors_at_any_depth(depth, escape):
    nested = '{"a":' * depth + f'"{escape}"' + "}" * depth
    for member in ("modelTags", "modelName", "other"):
        text = json.dumps(wire("ModelRegistered", {member: 0})).replace(": 0", f": {nested}")
        parse_or_refuse(text)
    value: Any = escape
    for _ in range(depth):
        value = {"a": value}
    parse_or_refuse(wire("ModelRegistered", {"modelTags": value}))


@given(known_events())
def test_envelope_and_casing_do_not_change_the_names(event):
    expected = parse(event)
    for form in (event, cased(event, pascal), cased(event, str.upper), cased(event, str.lower)):
        assert parse(form) == expected
        assert parse(cloud(form)) == expected
        assert parse(json.dumps([form])) == expected


@given(known_events() | mutated_events())
def test_an_event_survives_its_json(event):
    parsed = parse_or_refuse(event)
    if parsed:
        assert Event.from_json(json.loads(json.dumps(parsed.to_json()))) == parsed


@given(known_events())
def test_every_name_is_declared_with_its_type(event):
    parsed = parse(event)
    for root, named in parsed.names.items():
        for name, said in named.items():
            [declared, *others] = [NAMES[kind][root][name] for kind in parsed.kinds if root in NAMES[kind]]
            assert all(other == declared for other in others)
            assert has_type(said, declared)


def test_the_text_of_a_delivery_is_parsed_once():
    text = json.dumps(wire("ModelRegistered", {"modelName": "a"}))
    assert parse(text) is parse(text.encode())
