"""The blocks that Slack gets: within its limits, and with no markup of a value."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings

from mlevents.services.chat.apprise import Apprise
from mlevents.services.chat.slack_blocks import build_blocks
from mlevents.services.connection import Message
from mlevents.services.message_document import parse_message
from sandbox.inboxes.chat_limits import find_slack_faults
from tests.unit.services.chat_capture import captured
from tests.unit.services.hostile_message import LINK, VALUES, hostile_message, values
from tests.unit.stand_ins import services

A = "a" * 24
HOOK, BOT = f"slack://T1JJ3T3L2/A1BRTD4JD/{A}", "slack://xoxb-1234-1234-abc124/#alerts"
PASSIVE = {"header", "rich_text", "rich_text_section", "rich_text_preformatted", "plain_text", "text"}
STUDIO = ("https://ml.azure.com/",)


def build(message: Message) -> dict[str, Any]:
    return build_blocks(parse_message(message))


def list_elements(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [element for one in value for element in list_elements(one)]
    if not isinstance(value, dict):
        return []
    own = [value] if "type" in value else []
    return own + [element for one in value.values() for element in list_elements(one)]


@settings(deadline=None, max_examples=20)
@given(values)
@example(" ".join(VALUES[:-3]))
@example(VALUES[-1])
@example(VALUES[-2])
@example(VALUES[-3])
def test_no_value_is_active_in_a_block(value: str):
    message = build(hostile_message(value))
    assert not list(find_slack_faults(message))
    elements = list_elements(message["blocks"])
    assert [one["url"] for one in elements if one["type"] not in PASSIVE] == [LINK]
    assert not [one for one in elements if "url" in one and one["type"] != "link"]
    assert not [one for one in elements if one["type"] == "plain_text" and one["emoji"]]
    assert "<" not in message["text"]


@pytest.mark.parametrize(
    "line", ["a: b", "a", "    a\n\na", "Run: https://ml.azure.com/" + "<" * 160, "@" * 9_000]
)
def test_many_lines_are_within_the_limits_of_slack(line: str):
    text = "\n".join([line] * (20_000 // (len(line) + 1)))
    message = build(Message("s" * 200, f"{text}\n\nRule r1, response 2", "k", STUDIO))
    assert not list(find_slack_faults(message))
    assert "Rule r1, response 2" in json.dumps(message)


def test_facts_logs_and_links_have_their_own_form():
    text = f"It failed.\nRun:    r1\nStudio: {LINK}\n\n    File x\n      y"
    [header, block] = build(Message("Run r1", text, "k", STUDIO))["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "Run r1", "emoji": False}
    prose, code, end = block["elements"]
    assert [one["text"] for one in prose["elements"]] == ["It failed.", "\n\n", "Run: ", "r1", "\n"]
    assert prose["elements"][2]["style"] == {"bold": True}
    assert (code["type"], code["elements"][0]["text"]) == ("rich_text_preformatted", "File x\n  y")
    assert end["elements"][0] == {"type": "link", "url": LINK, "text": "Studio"}


@pytest.mark.parametrize(
    ("url", "kept"), [(HOOK, {}), (f"{HOOK}/#ml", {"channel": "#ml"}), (BOT, {"channel": "#alerts"})]
)
def test_apprise_posts_the_blocks(url: str, kept: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    message = Message("Run r1 failed", "Run: r1", "k")
    with captured(monkeypatch) as sent:
        Apprise(url=url).send(message, services({}))
    assert sent == [{**kept, **build(message)}]


def test_workflow_builder_gets_its_one_text(monkeypatch: pytest.MonkeyPatch):
    with captured(monkeypatch) as sent:
        Apprise(url=f"https://hooks.slack.com/triggers/T0123/456/{A}").send(
            Message("s", "t", "k"), services({})
        )
    assert sent == [{"text": "s: t"}]
