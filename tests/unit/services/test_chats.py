"""What chats get, in the payloads that apprise really sends: text in which no value can do anything."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlevents.actions.notify.action import Notify
from mlevents.actions.notify.message_values import STUDIOS
from mlevents.errors import PermanentError
from mlevents.services.chat import apprise
from mlevents.services.chat.apprise import Apprise, _apprise, _schemas
from mlevents.services.chat.chat_services import (
    CHAT_SERVICES,
    KNOWN_SERVICES,
    NATIVE_ADDRESS,
    PLAIN_TEXT_SERVICES,
)
from mlevents.services.chat.chat_text import BREAK, neutralize_text
from mlevents.services.chat.incidents import prepare_opsgenie
from mlevents.services.connection import Message
from mlevents.services.message_text import one_line
from tests.unit.services.chat_capture import captured
from tests.unit.stand_ins import services

A = "a" * 24
PLACES = {
    "workflows": f"workflows://h.example/{'a' * 32}/{'b' * 40}",
    "slack": f"slack://T1JJ3T3L2/A1BRTD4JD/{A}",
    "slack blocks": f"slack://T1JJ3T3L2/A1BRTD4JD/{A}?blocks=yes",
    "slack markdown": f"slack://T1JJ3T3L2/A1BRTD4JD/{A}?format=markdown",
    "discord": f"discord://{'1' * 18}/{'c' * 64}",
    "discord embeds": f"discord://{'1' * 18}/{'c' * 64}?format=markdown",
    "mattermost": f"mmost://h.example/{'d' * 26}",
    "zulip": f"zulip://bot@org/{'e' * 32}/general",
    "guilded": f"guilded://{'1' * 18}/{'c' * 64}",
    "telegram": "tgram://" + "123456789:" + "f" * 32 + "/12315544/",
    "google chat": f"gchat://space/{'a' * 20}/{'b' * 20}",
    "rocket": f"rocket://{'g' * 20}/{'h' * 20}@h.example/#general",
    "webex": f"wxteams://{'a' * 80}",
    "ryver": f"ryver://org/{'a' * 15}",
    "flock": f"flock://{'a' * 24}",
    "matrix": "matrixs://token@h.example/!room:h.example?mode=off&e2ee=no",
    "matrix webhook": f"matrix://h.example/{'a' * 64}?mode=matrix",
    "matrix html": "matrixs://token@h.example/!room:h.example?mode=off&e2ee=no&format=html",
    "matrix markdown": "matrixs://token@h.example/!room:h.example?mode=off&e2ee=no&format=markdown",
    "twist": "twist://pass:user@h.example/1:2",
    "revolt": f"revolt://{'b' * 40}/0123456789",
    "nextcloud talk": "nctalk://user:pass@h.example/room",
    "synology": f"synology://h.example/{'t' * 30}",
    "signal": "signal://h.example:8080/+15555555555/+15555555556",
    "signal styled": "signal://h.example:8080/+15555555555/+15555555556?format=markdown",
    "whatsapp": f"whatsapp://{'a' * 30}@123456789/15555555556",
    "line": f"line://{'a' * 40}/Uabc",
    "viber": f"viber://{'a' * 40}/abcdef",
    "feishu": f"feishu://{'a' * 36}",
    "lark": f"lark://{'a' * 36}",
    "dingtalk": f"dingtalk://{'a' * 64}",
    "dingtalk markdown": f"dingtalk://{'a' * 64}?format=markdown",
    "wecombot": f"wecombot://{'a' * 36}",
    "mastodon": "mastodon://token@h.example",
    "github": "github://token@owner/repo",
    "pagerduty": f"pagerduty://{'a' * 32}@{'b' * 32}",
    "opsgenie": f"opsgenie://{'a' * 36}",
    "splunk": f"splunk://route@{'a' * 36}",
    "victorops": f"victorops://route@{'a' * 36}",
    "signl4": "signl4://secret12",
    "spike": f"spike://{'a' * 32}",
    "betterstack": f"betterstack://{'a' * 24}",
    "xmatters": f"xmatters://user:pass@h.example/{'a' * 36}",
    "ntfy markdown": "ntfy://h.example/topic?format=markdown",
}
HOSTILE = [
    "@everyone",
    "@here",
    "@channel",
    "@all",
    "@room",
    "<!channel>",
    "<!here|x>",
    "<@U12345>",
    "<@&12345>",
    "<#C123>",
    "@**all**",
    "@_**all**",
    "#**general>x**",
    "<users/all>",
    "<at>Someone</at>",
    "[x](https://evil.example/a)",
    "https://evil.example/a",
    "HTTP://EVIL.EXAMPLE",
    "www.evil.example",
    "evil.example",
    "mailto:a@evil.example",
    "a@evil.example",
    "<https://evil.example|here>",
    "![x](https://evil.example/p.png)",
    "**bold**",
    "_it_",
    "~~s~~",
    "||spoiler||",
    "`code`",
    "```\ncode",
    "# head",
    "> quote",
    "- item",
    "$$x$$",
    "<b>x</b>",
    "<script>x</script>",
    "\\[x](https://evil.example)",
    "&lt;@U1&gt;",
    "https://ml.azure.com@evil.example/",
    "ftp://evil.example",
    "https://ml.azure.com.evil.example/",
    "x\r\nForged: line",
    "a\u2028b",
    "\u202egnp.exe",
    "evil。example",
    "xn--e1awd7f.xn--p1ai",
]
LOOKALIKE = "ˍˋ"
LIVE = re.compile(
    r"@\w|@\*|@_|<[!@#/a-z]|\]\(|(?i:[a-z]://)|`|\|\||~~|(?i:\bwww\.\w)|(?i:\w[.。]example(?!\w))|(?i:mailto:\w)"
)
"""Whatever some chat would take for a mention, markup or an address."""


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if "url" not in name.lower() and name not in ("$schema", "contentType", "avatar"):
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def shown(place: str, message: Message, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every text of every request, what apprise itself adds besides the message taken away."""
    with captured(monkeypatch) as sent:
        Apprise(url=place).send(message, services({}))
    assert sent
    found = (text for body in sent if body and "password" not in body for text in texts(body))
    return "\n".join(text for text in found if not text.startswith("https://github.com/caronc/apprise/"))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20), min_size=1, max_size=4).map(" ".join))
@example(" ".join(HOSTILE))
def test_no_value_is_live_in_any_chat(place: str, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    line = one_line(value)
    message = Message(f"Run {line}"[:150], f"Run: {line}\nEnd", "k", STUDIOS)
    found = shown(place, message, monkeypatch)
    assert found.count("*") == shown(place, Message("Run x", "Run: x\nEnd", "k"), monkeypatch).count("*")
    assert not LIVE.search(re.sub(r"\\(?=[!-/:-@\[-`{-~])|<(?=/?(?:b|h\d|br|p|flockml)\b)", "", found)), found


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", ["{}", "a {} b", "({})", "x{}", "\n{}", "{}{}"])
def test_text_is_inert_by_itself(value: str, place: str) -> None:
    found = neutralize_text(one_line(place.format(value, value)), STUDIOS)
    assert "*" not in found
    assert not LIVE.search(found), found


@given(st.text())
def test_written_twice_is_written_once_and_words_stay_the_same(text: str) -> None:
    found = neutralize_text(one_line(text))
    assert neutralize_text(found) == found
    assert [c for c in found if c.isalnum() and c not in LOOKALIKE] == [
        c for c in one_line(text) if c.isalnum() and c not in LOOKALIKE
    ]


def test_ids_and_arm_ids_stay_as_they_are() -> None:
    for text in (
        "/subscriptions/0/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
        "fraud_net-3, version 1.10, 2026-01-02T03:04:05.123456Z, 12:30:00",
        "deploy-production.0123456789abcdef0123",
        "models/fraud-net:8",
    ):
        assert neutralize_text(text) == text


def test_our_own_links_stay_links_and_nothing_can_be_hidden_in_one() -> None:
    link = "https://ml.azure.com/runs/r1?wsid=/subscriptions/0"
    assert neutralize_text(f"Studio: {link}", STUDIOS) == f"Studio: {link}"
    assert neutralize_text(f"{link}](https://evil.example)|@here", STUDIOS).startswith(
        f"{link}%5D%28https://evil.example%29%7C%40"
    )
    assert "https://" not in neutralize_text(f"x{link} https://evil.example/?{link}", STUDIOS)


@pytest.mark.parametrize(
    "written", ["kook://token/channel", "apprise://h.example/token", "pushplus://" + "a" * 32]
)
def test_a_service_whose_way_with_text_is_unknown_is_refused(written: str) -> None:
    connected = Apprise.model_validate({"url": {"setting": "URL"}})
    with pytest.raises(PermanentError, match="write `unsafe_text: true`"):
        connected.send(Message("s", "t", "k"), services({}, URL=written))
    assert "unsafe_text" in str(connected.find_fault({"URL": written}))
    assert connected.find_fault({}) is None
    assert connected.find_fault({"URL": written}, unsafe=True) is None
    assert Apprise.model_validate({"url": written, "unsafe_text": True}).find_fault({}) is None


@pytest.mark.parametrize(
    "address",
    [
        f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{A}",
        "https://hooks.slack.com/triggers/T0/X0/Y0",
        f"https://prod-1.westeurope.logic.azure.com:443/workflows/w1/triggers/manual/paths/invoke?sig={A}",
        "https://d.environment.api.powerplatform.com:443/powerautomate/automations/direct/cu/12"
        f"/workflows/w1/triggers/manual/paths/invoke/?api-version=1&sig={A}",
    ],
)
def test_an_address_that_slack_or_teams_shows_is_known_without_apprise(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _schemas(_apprise().Apprise.instantiate(address)) & KNOWN_SERVICES
    monkeypatch.setattr(apprise, "_apprise", pytest.fail)
    assert Apprise.model_validate({"url": {"setting": "URL"}}).find_fault({"URL": address}) is None
    assert not NATIVE_ADDRESS.match(f"https://h.example/?to={address}")


@pytest.mark.parametrize("unsafe", ["step", "connection"])
def test_the_rule_may_accept_it(unsafe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected = Apprise(url="apprise://h.example/token", unsafe_text=unsafe == "connection")
    with captured(monkeypatch) as sent:
        connected.send(Message("s", "t", "k", unsafe=unsafe == "step"), services({}))
    assert len(sent) == 1


def test_notify_reports_it_when_rules_load() -> None:
    connections = {"chat": {"type": "apprise", "url": {"setting": "URL"}}}
    step = Notify.model_validate({"to": "chat", "subject": "s", "text": "t"})
    assert "the connection 'chat' cannot be notified" in next(
        step.find_connection_faults(connections, {"URL": "kook://a/b"})
    )
    assert not list(step.find_connection_faults(connections, {"URL": PLACES["slack"]}))
    assert not list(
        step.find_connection_faults(
            connections, {"URL": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/" + A}
        )
    )
    accepted = Notify.model_validate({"to": "chat", "subject": "s", "text": "t", "unsafe_text": True})
    assert not list(accepted.find_connection_faults(connections, {"URL": "kook://a/b"}))


def test_the_payload_of_every_chat_is_looked_at() -> None:
    places = (_apprise().Apprise.instantiate(place) for place in PLACES.values())
    assert frozenset[str]().union(*map(_schemas, places)) >= CHAT_SERVICES


@pytest.mark.parametrize(
    "text", ["model.registered", "fraud.model-3", "run.status_changed", "azureml.parent"]
)
@pytest.mark.parametrize("place", ["slack", "discord", "telegram", "workflows", "mattermost"])
def test_names_with_dots_can_be_copied(place: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shown(PLACES[place], Message("s", f"Event: {text}\nEnd", "k"), monkeypatch)
    assert text in re.sub(r"\\(?=[._-])", "", found)


@pytest.mark.parametrize(
    "text", ["evil.com", "EVIL.CO.UK", "x.evil.ai/a", "evil.рф", "www.evil", "evil.internal"]
)
def test_names_that_lead_somewhere_are_broken(text: str) -> None:
    assert BREAK in neutralize_text(f"see {text} now")


@pytest.mark.parametrize("text", ["Training data: 5", "metadata:x", "motel:5", "Registered fraud-net:8"])
def test_words_before_a_colon_are_no_address(text: str) -> None:
    assert neutralize_text(text) == text


def test_every_service_in_the_lists_is_one_of_apprises() -> None:
    manager = _apprise().manager_plugins.NotificationManager()
    assert sorted(KNOWN_SERVICES - set(manager.schemas())) == []
    assert not PLAIN_TEXT_SERVICES & CHAT_SERVICES


@pytest.mark.parametrize(("place", "name"), [("json://h.example", "headers"), ("xml://h.example", "headers")])
def test_a_webhook_carries_the_messages_key(place: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []

    def send(self: requests.Session, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        keys.append(request.headers["Idempotency-Key"])
        answer = requests.Response()
        answer.status_code = 200
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(requests.Session, "send", send)
        for _ in range(2):
            Apprise(url=place).send(Message("s", "t", "mlevents-k-chat"), services({}))
    assert keys == ["mlevents-k-chat"] * 2


@pytest.mark.parametrize(
    ("place", "member"),
    [(f"pagerduty://{'a' * 32}@{'b' * 32}", "dedup_key"), (f"opsgenie://{'a' * 36}", "alias")],
)
def test_an_incident_is_known_by_the_messages_key(
    place: str, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with captured(monkeypatch) as sent:
        Apprise(url=place).send(Message("s", "t", "mlevents-k-chat"), services({}))
    assert sent[0][member] == "mlevents-k-chat"


@pytest.mark.parametrize(
    ("written", "action"),
    [("", "new"), ("?action=map", "new"), (":info=new", "map"), ("?action=close", "close")],
)
def test_opsgenie_makes_an_alert_unless_the_url_says_else(written: str, action: str) -> None:
    place = _apprise().Apprise.instantiate(
        f"opsgenie://{'a' * 36}{'?' if written[:1] == ':' else ''}{written}"
    )
    prepare_opsgenie(place, Message("s", "t", "k"))
    assert place.action == action


def test_the_tables_hold_no_format_character_but_the_break() -> None:
    assert unicodedata.category(BREAK) == "Cf"
