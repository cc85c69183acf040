"""The messages of mlevents: what happened, then facts, then links; no value makes one of them."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlevents.actions.notify.message_templates import render
from mlevents.message_templates.template_engine import SHIPPED_TEMPLATES, render_template
from mlevents.services.connection import Message
from mlevents.services.message_document import parse_message
from tests.unit.stand_ins import WORKSPACE, step

TEMPLATES = sorted(SHIPPED_TEMPLATES)
CONSOLE = "https://ml.example.com/api/console/responses/rule-1.abc"
WSID = f"?wsid={WORKSPACE}"
STUDIO = {
    "Open monitor": f"https://ml.azure.com/runs/m1{WSID}",
    "Open run": f"https://ml.azure.com/runs/r1{WSID}",
    "Open model": f"https://ml.azure.com/model/net:7/details{WSID}",
    "Open endpoint": f"https://ml.azure.com/endpoints/realtime/fraud/detail{WSID}",
}


def names(value: str) -> dict[str, Any]:
    """Everything that an event and its response can say, with this value in each place."""
    breach = {"feature": value, "metric": value, "value": 1.0, "threshold": 0.5}
    drift = {"monitor": value, "monitor_run": value, "signal": value, "breaches": [breach] * 7, **breach}
    model = {"name": value, "version": value, "tags": {value: value}}
    run = {"id": value, "experiment": value, "status": value, "type": value, "tags": {"error": value}}
    event = {"id": value, "type": value, "time": value, "subject": value}
    deployed = {
        **{name: value for name in ("endpoint", "deployment", "model", "reason", "restored", "left")},
        "phases": [{"phase": value, "seconds": 3, "detail": value}],
        "before": {value: 100},
        "log": [value] * 3,
    }
    failure = {"step": value, "uses": value, "status": value, "message": value}
    one = {"event": event, "drift": drift, "model": model, "run": run}
    return {
        **one,
        "workspace": {"name": value, "id": WORKSPACE},
        "steps": {"deploy": deployed},
        "failure": {**deployed, **failure},
        "recovered": {"run": value, "failed": value, "failures": 3},
        "group": {"count": 12, "events": [one] * 12},
        "response": {"link": CONSOLE},
    }


def reason(value: str) -> dict[str, Any]:
    child = {"name": value, "code": value, "message": value}
    texts = dict.fromkeys(("code", "message", "cause", "compute", "owner", "log_file"), value)
    causes = [{"code": value, "count": 2}]
    return {**texts, "children": [child], "causes": causes, "duration": 60.0, "log": [value] * 3}


def find_links(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w[\w ]*): +(https://\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "dead-letter"])
def test_a_message_has_every_link_that_there_is(template: str):
    event = {
        "run": {"id": "r1"},
        "model": {"name": "net", "version": "7"},
        "drift": {"monitor_run": "m1"},
        "steps": {"deploy": {"endpoint": "fraud"}},
        "response": {"link": CONSOLE},
    }
    _, text = render(template, step(event))
    assert find_links(text) == {**STUDIO, "Open response": CONSOLE}
    _, text = render(template, step())
    assert not find_links(text)
    assert "\n\n\n" not in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_line_begins_with_a_value(template: str):
    """So no value is a fact, a link or a line of a log to what makes cards of these lines."""
    for value in ("ZZ: https://evil.example/x", "ZZ"):
        subject, text = render(template, step(names(value)), reason(value))
        assert subject
        lines = [line for line in text.split("\n") if not line.startswith("    ")]
        assert not [line for line in lines if line.lstrip().startswith("ZZ")]
        assert all(line == line.lstrip() for line in lines)
        assert not [link for link in find_links(text).values() if "evil" in link.partition("?")[0][:30]]


VALUES = st.text(max_size=60) | st.sampled_from(
    [
        "\n    rm -rf /",
        "a\r\nOpen run: https://evil.example",
        "\x85Open run: https://evil.example",
        "\u2028x: https://e",
        "Open run: https://ml.azure.com/evil ",
        "    code ",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(VALUES, st.sampled_from(TEMPLATES))
def test_no_value_adds_a_fact_a_link_or_a_line_of_a_log(value: str, template: str):
    plain = read_parts(template, "x")
    assert read_parts(template, f"{value}x") == plain


def read_parts(template: str, value: str) -> list[tuple[str, ...]]:
    """The parts from which cards, blocks and mails are made, without their texts, and the links."""
    subject, text = render(template, step(names(value)), reason(value))
    found = parse_message(Message(subject, text, "k", ("https://ml.azure.com/", CONSOLE)))
    parts = [(type(part).__name__, getattr(part, "label", "")) for part in found.parts]
    return [*parts, *(("link", link.text) for link in found.links)]


def test_an_approval_says_what_would_happen_and_where_to_decide():
    link = "https://ml.example.com/api/console/approvals/r/t"
    approval = {
        "about": "net:7",
        "until": "soon",
        "event": "model.registered",
        "link": link,
        "steps": ["a", "b"],
    }
    values = {"approval": approval, "response": {"id": "r.1", "rule": "r", "link": CONSOLE}}
    subject, text = render_template("approval-wanted", values)
    assert subject == "Approval wanted: net:7, by rule r"
    assert [line for line in text.split("\n") if line.startswith("Step")] == [
        "Step:       a",
        "Step:       b",
    ]
    assert find_links(text) == {"Decide": link, "Open response": CONSOLE}


def test_a_registered_model_shows_its_first_tags():
    model = {"name": "net", "version": "8", "tags": {f"t{number}": "x" * 300 for number in range(12)}}
    subject, text = render("model-registered", step({"model": model}))
    assert subject == "Model net:8 is registered"
    assert re.findall(r"^Tag: +(\w+): x{256}$", text, re.MULTILINE) == [f"t{number}" for number in range(10)]


def test_a_former_name_is_the_same_template():
    context = step({"failure": {"message": "no JSON"}})
    assert render("response-quarantined", context) == render("quarantined", context)


def test_a_line_of_a_log_keeps_its_indent_and_stays_one_line():
    lines = [
        "Traceback:",
        '  File "train.py"',
        "    fit()",
        " " * 99 + "deep",
        "  a\nOpen run: https://evil.example",
    ]
    _, text = render("run-failed", step({"run": {"id": "r1"}}), {"log": lines, "log_file": "std_log.txt"})
    block = text.partition("The end of the log:\n")[2].split("\n\n")[0]
    assert block.split("\n") == [
        "    Traceback:",
        '      File "train.py"',
        "        fit()",
        "    " + " " * 40 + "deep",
        "      a Open run: https://evil.example",
    ]
