"""The card that Teams gets: valid after the published schema, small enough, and with no markup of a value."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from jsonschema import Draft6Validator

from mlevents.services.chat.adaptive_card import LARGEST_CARD, build_card_message
from mlevents.services.chat.apprise import Apprise
from mlevents.services.connection import Message
from mlevents.services.message_document import parse_message
from sandbox.inboxes.chat_limits import CARD_BYTES, find_card_faults
from tests.unit.services.chat_capture import captured
from tests.unit.services.hostile_message import LINK, VALUES, hostile_message, values
from tests.unit.stand_ins import services

SCHEMA = Draft6Validator(
    json.loads(Path(__file__, "../../../data/adaptive_card_schema.json").resolve().read_text())
)
WORKFLOW = f"workflows://h.example/{'a' * 32}/{'b' * 40}"
MARKUP = ("](", "<", "`", "**", "@h", "{{", "://", "${")


def build(message: Message) -> dict[str, Any]:
    return build_card_message(parse_message(message))


def find_elements(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == kind:
            yield value
        for inner in value.values():
            yield from find_elements(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from find_elements(inner, kind)


@settings(deadline=None, max_examples=20)
@given(values)
@example(" ".join(VALUES[:-3]))
@example(VALUES[-1])
@example(VALUES[-2])
@example(VALUES[-3])
def test_no_value_is_active_in_a_card(value: str):
    message = build(hostile_message(value))
    card = message["attachments"][0]["content"]
    assert not list(SCHEMA.iter_errors(card))
    assert not list(find_card_faults(message))
    assert [one["url"] for one in find_elements(card, "Action.OpenUrl")] == [LINK]
    texts = [one["text"] for one in find_elements(card, "TextBlock")]
    assert not [text for text in texts if any(mark in text for mark in MARKUP)]


def test_a_link_in_prose_is_a_link():
    card = build(Message("s", f"See {LINK} for_it", "k", ("https://ml.azure.com/",)))
    [_, block] = find_elements(card, "TextBlock")
    assert block["text"] == f"See [{LINK}]({LINK}) for_it"


@pytest.mark.parametrize("line", ["a: b", "a", "    a", "Run: https://ml.azure.com/" + "<" * 160, "ü", "😀"])
def test_a_card_is_never_larger_than_teams_shows(line: str):
    text = "\n".join(["Rule r1, response 1", *[line] * (20_000 // (len(line) + 1))])
    message = build(
        Message("s" * 200, f"{text[:19_900]}\n\nRule r1, response 2", "k", ("https://ml.azure.com/",))
    )
    assert len(json.dumps(message)) <= LARGEST_CARD < CARD_BYTES
    assert "Rule r1, response 2" in json.dumps(message)
    assert not list(SCHEMA.iter_errors(message["attachments"][0]["content"]))


def test_apprise_posts_the_card_once_to_the_workflow(monkeypatch: pytest.MonkeyPatch):
    message = Message("Run r1 failed", f"Run: r1\nStudio: {LINK}", "k", ("https://ml.azure.com/",))
    with captured(monkeypatch) as sent:
        Apprise(url=f"{WORKFLOW}?overflow=split").send(message, services({}))
    assert sent == [build(message)]


def test_a_url_with_a_card_of_its_own_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    own = {"type": "message", "attachments": [{"contentType": "x", "content": "{{app_body}}"}]}
    (tmp_path / "card.json").write_text(json.dumps(own))
    with captured(monkeypatch) as sent:
        Apprise(url=f"{WORKFLOW}?template={tmp_path}/card.json").send(
            Message("s", "Run: r1", "k"), services({})
        )
    assert sent[0]["attachments"][0]["content"] == "Run: r1"
