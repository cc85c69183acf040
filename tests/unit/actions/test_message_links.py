"""Which addresses stay links in a message: those of mlevents and of the rule, and none that is in a value."""

from typing import Any

from mlevents.actions.notify.message_values import list_links
from mlevents.events.studio_links import find_link
from mlevents.services.chat.chat_text import neutralize_text
from tests.unit.stand_ins import WORKSPACE

OTHER, WIKI = "https://ml.azure.com/runs/other", "https://wiki.example.com/run"
STEP, ANSWERED = "https://ml.azure.com/runs/pipeline", "https://evil.example/answer"
PAGE = "https://app.example.com/api/console/responses/r.1"
TAGS = {
    "a": OTHER,
    "b": f"{WIKI}/evil",
    "link": OTHER,
    "page": "https://app.example.com/api/console/responses/x",
}
VALUES: dict[str, Any] = {
    "run": {"id": "r1", "tags": TAGS},
    "workspace": {"id": WORKSPACE},
    "response": {"id": "r.1", "link": PAGE},
    "steps": {"retrain": {"studio": STEP}, "call": {"link": ANSWERED}},
}


def show(source: str, shown: str) -> str:
    """The text as a chat gets it."""
    return neutralize_text(shown, list_links(source, shown, VALUES))


def test_what_mlevents_computes_is_a_link() -> None:
    ours = str(find_link("run", VALUES))
    shown = f"{ours} {PAGE} {STEP}"
    assert show("${run.link} ${response.link} ${steps.retrain.studio}", shown) == shown


def test_no_address_in_a_value_is_a_link() -> None:
    for address in (OTHER, TAGS["b"], TAGS["page"], ANSWERED):
        assert "https://" not in show("See ${run.tags.a}", f"See {address}")


def test_what_the_rule_writes_out_is_a_link_also_where_a_value_begins_like_it() -> None:
    shown = f"{WIKI}book/r1 {TAGS['b']}"
    assert show(f"{WIKI}book/${{run.id}} ${{run.tags.b}}", shown).startswith(f"{WIKI}book/r1 https:\u200b//")
    assert show(f"{WIKI}/${{run.id}} ${{run.tags.b}}", f"{WIKI}/r1 {TAGS['b']}").startswith(
        f"{WIKI}/r1 https:\u200b//"
    )


def test_each_event_of_a_group_has_its_link() -> None:
    events = [{"run": {"id": name}, "workspace": {"id": WORKSPACE}} for name in ("a", "b")]
    links = list_links("", "", {"group": {"events": events}})
    assert [link.partition("?")[0] for link in links] == [
        f"https://ml.azure.com/runs/{name}" for name in "ab"
    ]
