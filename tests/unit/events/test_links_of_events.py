"""Links: computed from an event's names where an expression reads them."""

from typing import Any

import pytest

from mlevents.events.studio_links import LONGEST_LINK, add_links, find_link, list_link_sources
from mlevents.expressions.interpolation import ExpressionError, render_value
from tests.unit.stand_ins import WORKSPACE

WSID = f"?wsid={WORKSPACE}"
TENANT = "00000000-0000-0000-0000-00000000000a"
NAMES: dict[str, Any] = {
    "workspace": {"id": WORKSPACE},
    "model": {"name": "net", "version": "7", "tags": {"link": "own"}},
    "run": {"id": "r 1/2?"},
    "drift": {"monitor_run": "m1"},
    "endpoint": {"name": "fraud"},
}


@pytest.mark.parametrize(
    ("root", "page"),
    [
        ("model", "model/net:7/details"),
        ("run", "runs/r%201%2F2%3F"),
        ("drift", "runs/m1"),
        ("endpoint", "endpoints/realtime/fraud/detail"),
    ],
)
def test_each_root_has_its_page(root: str, page: str):
    assert render_value(f"${{{root}.link}}", NAMES) == f"https://ml.azure.com/{page}{WSID}"
    assert find_link(root, NAMES, TENANT) == f"https://ml.azure.com/{page}{WSID}&tid={TENANT}"


def test_the_tenant_of_the_app_is_in_the_link_if_it_is_a_guid():
    assert str(render_value("${run.link}", {**NAMES, "tenant": TENANT})).endswith(f"&tid={TENANT}")
    assert str(render_value("${run.link}", {**NAMES, "tenant": "x&y"})).endswith(WSID)


def test_an_event_of_a_group_has_its_own_links():
    names = {"group": {"events": [{"workspace": {"id": WORKSPACE}, "run": {"id": "r2"}}]}}
    assert render_value("${group.events[0].run.link}", names) == f"https://ml.azure.com/runs/r2{WSID}"


@pytest.mark.parametrize(
    "names",
    [
        {**NAMES, "model": {"name": "net"}},
        {**NAMES, "workspace": {"id": "/subscriptions/x"}},
        {**NAMES, "model": {"name": "n" * LONGEST_LINK, "version": "7"}},
        {"model": NAMES["model"]},
    ],
)
def test_a_link_is_missing_where_a_part_of_it_is(names: dict[str, Any]):
    with pytest.raises(ExpressionError, match=r"model\.link is missing in this event; add `\| default"):
        render_value("${model.link}", names)
    assert render_value("${model.link | default('none')}", names) == "none"


def test_a_tag_named_link_is_the_tag():
    assert render_value("${model.tags.link}", NAMES) == "own"


def test_an_endpoint_in_another_workspace_is_linked_there():
    other = WORKSPACE.replace("ml-prod", "ml-other")
    names = {**NAMES, "endpoint": {"name": "fraud", "workspace": other}}
    assert str(find_link("endpoint", names)).endswith(f"?wsid={other}")


def test_names_keep_what_they_have_and_get_links():
    linked = add_links(NAMES)
    assert linked["run"]["id"] == "r 1/2?"
    assert {root for root, value in linked.items() if "link" in value} == {
        "model",
        "run",
        "drift",
        "endpoint",
    }


def test_a_step_that_names_a_link_is_given_what_it_is_made_of():
    found = set(
        list_link_sources([("model", "link"), ("model", "name"), ("group", "events", 0, "run", "link")])
    )
    assert found == {
        ("model", "name"),
        ("model", "version"),
        ("workspace", "id"),
        ("group", "events", 0, "run", "id"),
        ("group", "events", 0, "workspace", "id"),
    }
