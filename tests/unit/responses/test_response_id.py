"""Ids of responses: the same event always gives the same one, two events never do."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlevents.canonical import canonical_event_id, canonical_resource_id, join_parts
from mlevents.errors import RulesError
from mlevents.events import Event, parse
from mlevents.gates import dedupe
from mlevents.responses.response_id import quarantine_id, refused_id, response_id
from mlevents.rules.file import load_rules_text
from mlevents.rules.syntax import RESERVED_IDS
from mlevents.settings import Settings

WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/kite"
KELVIN = "\u212a"
NASTY = st.sampled_from(
    [
        *("", "/", "////", "/a", "/a b", "c", "b c", "dedupe", "drift", "event", "1:a", "-", "k", KELVIN),
        *('["dedupe", "x"]', '["/a", "c"]', WORKSPACE, f"{WORKSPACE}/", WORKSPACE.upper(), f"{WORKSPACE}//"),
    ]
)
TEXT = NASTY | st.text(max_size=12)
RULE = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True) | st.sampled_from(RESERVED_IDS)


def event(topic: str, event_id: str, **more: Any) -> Event:
    kind = "Microsoft.MachineLearningServices.ModelRegistered"
    wire = {"id": event_id, "topic": topic, "subject": "models/a:1", "eventType": kind, "data": {}}
    return parse(wire | more)


def same_event(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return (canonical_resource_id(one[0]), canonical_event_id(one[1])) == (
        canonical_resource_id(other[0]),
        canonical_event_id(other[1]),
    )


IDS = TEXT.filter(str.strip).filter(lambda text: "\0" not in text)
SAID = st.tuples(RULE, TEXT.filter(lambda text: "\0" not in text), IDS)


@given(one=SAID, other=SAID)
def test_two_rules_topics_or_event_ids_never_share_an_id(
    one: tuple[str, str, str], other: tuple[str, str, str]
):
    ids = [
        response_id(rule, event(topic, name).identity("model.registered"))
        for rule, topic, name in (one, other)
    ]
    same = one[0] == other[0] and same_event(one[1:], other[1:])
    assert (ids[0] == ids[1]) is same


@given(one=SAID, other=SAID)
def test_the_records_of_two_foreign_events_never_share_an_id_with_each_other_or_a_rule(
    one: tuple[str, str, str], other: tuple[str, str, str]
):
    first, second = event(*one[1:]), event(*other[1:])
    assert (refused_id(first) == refused_id(second)) is same_event(one[1:], other[1:])
    assert refused_id(first) != response_id(other[0], second.identity("model.registered"))
    assert quarantine_id(one[1]) != response_id(other[0], one[1])


@given(parts=st.lists(st.none() | TEXT), others=st.lists(st.none() | TEXT))
def test_different_parts_never_give_one_text(parts: list[str | None], others: list[str | None]):
    assume(parts != others)
    assert join_parts(*parts) != join_parts(*others)


@given(value=TEXT, topic=TEXT.filter(lambda text: "\0" not in text), name=IDS)
def test_no_event_imitates_a_value_of_dedupe(value: str, topic: str, name: str):
    assert dedupe.identity(value) != event(topic, name).identity("model.registered")
    assert dedupe.identity(value) != event("dedupe", json.dumps(value)).identity("model.registered")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("/a b", "c"), ("/a", "b c")),
        (("k", "1"), (KELVIN, "1")),
        (("////", "1"), ("", "1")),
        (("////", "1"), ("/", "1")),
        (("a", "K"), ("a", "k")),
        ((WORKSPACE, "1"), (f"{WORKSPACE}//", "1")),
        ((WORKSPACE, "1"), (WORKSPACE.replace("kite", f"{KELVIN}ite"), "1")),
    ],
)
def test_what_looks_alike_is_not_the_same_event(one: tuple[str, str], other: tuple[str, str]):
    assert refused_id(event(*one)) != refused_id(event(*other))
    assert event(*one).identity("model.registered") != event(*other).identity("model.registered")


GUID = "0a1b2c3d-0000-4000-8000-00000000ABCD"


@pytest.mark.parametrize("topic", [f"{WORKSPACE}/", WORKSPACE.upper(), f"{WORKSPACE.lower()}/"])
@pytest.mark.parametrize("name", [GUID, GUID.lower()])
def test_a_slash_or_another_case_in_an_azure_id_is_the_same_event(topic: str, name: str):
    assert refused_id(event(topic, name)) == refused_id(event(WORKSPACE, GUID))
    same = event(WORKSPACE, GUID).identity("model.registered")
    assert event(topic, name).identity("model.registered") == same


def test_a_signals_breach_is_the_same_in_whatever_case_the_workspace_is_written():
    tags = {"azureml_modelmonitor_threshold_breached": "The signal 's' has failed due to"}
    run = {
        "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
        "data": {"runId": "r1", "runTags": tags},
    }
    one, other = (event(topic, "e", **run) for topic in (WORKSPACE, f"{WORKSPACE.upper()}/"))
    assert one.identity("drift.detected") == other.identity("drift.detected")


@pytest.mark.parametrize("name", RESERVED_IDS)
def test_no_rule_has_the_name_of_what_belongs_to_no_rule(name: str):
    text = f"version: 1\nrules: [{{id: {name}, event: '*', do: [{{uses: notify}}]}}]\n"
    with pytest.raises(RulesError) as refused:
        load_rules_text(text, Path("rules.yaml"), Settings())
    assert f"the id '{name}' is reserved" in str(refused.value)
