"""The subscription that docs/azure-portal.md makes by `az rest` is the one that the template makes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep_file import INFRA, declarations, properties, text

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = INFRA / "modules/event-subscriptions.bicep"
FUNCTION = "ModelRegistered"
DEFAULTS = ("deliveryAttempts", "timeToLiveMinutes")


def shipped_filter() -> dict[str, Any]:
    command = [sys.executable, "-m", "mlevents", "filters", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[FUNCTION]


def default(name: str) -> int:
    """A parameter's default in events.bicep, which hands it to the module."""
    (found,) = [one for one in declarations(INFRA / "events.bicep", "param") if one.name == name]
    return int(text(found.node).rpartition("=")[2])


def value(node: Node, known: dict[str, Any]) -> Any:
    """What Bicep makes of an expression, when its names have these values."""
    if node.type == "object":
        return {name: value(one, known) for name, one in properties(node).items()}
    written = text(node)
    if written in known:
        return known[written]
    return json.loads(re.sub("^'(.*)'$", r'"\1"', written))


def test_the_body_of_the_request_is_what_the_template_makes() -> None:
    wanted = {f"wanted.value.{name}": one for name, one in shipped_filter().items()}
    known = wanted | {name: default(name) for name in DEFAULTS}
    known |= {
        "'${functionAppId}/functions/${wanted.key}'": f"$FUNCTIONS/{FUNCTION}",
        "deadLetterAccountId": "$STORE",
        "contains(labels, wanted.key) ? [labels[wanted.key]] : []": [],
    }
    (template,) = declarations(TEMPLATE, "resource")[1:]
    made = value(properties(template.body)["properties"], known)
    del made[
        "labels"
    ]  # what they are for: mlevents/eventgrid/subscription_diff.py; without one, filters are compared
    page = (ROOT / "docs/azure-portal.md").read_text()
    (body,) = re.findall(r"^cat > subscription.json <<EOF\n(.*?)^EOF$", page, re.MULTILINE | re.DOTALL)
    assert json.loads(body)["properties"] == made


def test_the_page_makes_it_with_the_templates_version_of_the_api() -> None:
    (template,) = declarations(TEMPLATE, "resource")[1:]
    page = (ROOT / "docs/azure-portal.md").read_text()
    assert f"/eventSubscriptions/$APP-{FUNCTION}?api-version={template.target.partition('@')[2]}" in page
