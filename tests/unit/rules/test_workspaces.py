"""The allow-list: what `check` accepts, the app can open, and nothing else is of the same workspace."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import RulesError
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.settings import Settings

WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/kite"
PARTS = st.text(st.sampled_from("abK\u212a09-_.()/ ?#%é\n"), max_size=6)


def rules(workspace: str) -> Rules:
    text = f"version: 1\nworkspaces: {{prod: {workspace!r}}}\nrules: []\n"
    return load_rules_text(text, Path("rules.yaml"), Settings())


@given(group=PARTS, name=PARTS, tail=st.sampled_from(["", "/", "//", " ", "/x"]))
def test_whatever_is_accepted_can_be_opened(group: str, name: str, tail: str):
    written = WORKSPACE.replace("/rg/", f"/{group}/").replace("kite", name) + tail
    try:
        found = rules(written).workspaces["prod"]
    except RulesError:
        return
    assert Workspace.parse(found).name == name.removesuffix("/")
    assert rules(written).allows(found)


@pytest.mark.parametrize("topic", [WORKSPACE, f"{WORKSPACE}/", WORKSPACE.upper()])
def test_a_slash_or_another_case_is_the_same_workspace(topic: str):
    assert rules(WORKSPACE).allows(topic)
    assert rules(topic).allows(WORKSPACE)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "////",
        f"{WORKSPACE}//",
        f"{WORKSPACE}x",
        f"{WORKSPACE}/onlineEndpoints/e",
        f"/{WORKSPACE}",
        f" {WORKSPACE}",
        f"{WORKSPACE}\n",
        WORKSPACE.replace("kite", "\u212aite"),
        WORKSPACE.replace("/subscriptions", "/\u017fubscriptions"),
        WORKSPACE.replace("/rg/", "/rg2/"),
    ],
)
def test_nothing_else_is_of_that_workspace(topic: str):
    assert not rules(WORKSPACE).allows(topic)


def test_a_resource_groups_name_may_be_of_any_script():
    written = WORKSPACE.replace("/rg/", "/größe-東京/")
    assert rules(written).allows(written)
    assert Workspace.parse(written).group == "größe-東京"


@pytest.mark.parametrize("group", [".", "..", "rg."])
def test_a_group_that_is_a_step_of_a_path_is_refused(group: str):
    with pytest.raises(RulesError, match="is not a workspace id"):
        rules(WORKSPACE.replace("/rg/", f"/{group}/"))
