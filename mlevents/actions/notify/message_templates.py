"""What the templates of `notify` insert: the names of the event, the steps, and what is known besides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from mlevents.actions.deployed_endpoint import find_deployed, read_endpoint
from mlevents.actions.notify.run_reason import REASON_NAMES
from mlevents.events.studio_links import ENDPOINT, TENANT, add_links
from mlevents.message_templates.own_templates import list_own_templates
from mlevents.message_templates.template_engine import SHIPPED_TEMPLATES, inserts_value, render_template
from mlevents.services.message_text import VALUE_LENGTH

if TYPE_CHECKING:
    from mlevents.actions.action import StepContext

MOST_ITEMS = 100
MOST_TAGS, LONGEST_SHOWN_TAG = 10, 256
TAGS_TEMPLATE = "model-registered"
"""The template of mlevents that shows the tags of a model."""
READING_TEMPLATE, READ_VALUE = "run-failed", "reason"
"""The template of mlevents for which runs are read, and the value by which an own template asks for that."""
INSERTED_VALUES: Mapping[str, Collection[str] | None] = {
    **dict.fromkeys(("topic", "event_type", "error", "deployed", "steps", "failure")),
    "response": ("id", "rule", "step", "link"),
    READ_VALUE: REASON_NAMES,
}
"""What templates insert besides the names of the event and of gates: the fields, or None for any."""


def reads_runs(name: object) -> bool:
    """Whether a template shows why runs failed."""
    if name in SHIPPED_TEMPLATES or name not in list_own_templates():
        return name == READING_TEMPLATE
    return inserts_value(str(name), READ_VALUE)


def render(name: str, context: StepContext, reason: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """The subject and the text of a template for this step; raises PermanentError where it fails.

    `reason` is what `failed_runs` has read, where a template shows it.
    """
    return render_template(name, {**_list_values(context), READ_VALUE: reason or {}})


def _list_values(context: StepContext) -> dict[str, Any]:
    """The step's names with their links, and the other values that templates show."""
    names, tenant = context.names, str(context.names.get(TENANT) or "")
    own = {
        "workspace": {"id": context.event.topic, **_map(names, "workspace")},
        "response": {**_map(names, "response"), "id": context.id, "rule": context.rule, "step": context.step},
        ENDPOINT: names.get(ENDPOINT) or read_endpoint(names),
        "group": _link_events(_map(names, "group"), tenant),
    }
    return {
        **add_links({**names, **own}, tenant),
        "topic": context.event.topic,
        "event_type": context.event.type,
        "error": _error(_map(names, "run")),
        "deployed": find_deployed(names),
    }


def _link_events(group: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    events = [add_links(one, tenant) for one in group.get("events", ()) if isinstance(one, Mapping)]
    return {**group, "events": events} if group else {}


def inserted_names(names: Mapping[str, Any], template: object = None) -> dict[str, Any]:
    """Of an event's names, `steps` and `failure` what this template can insert, as far as it can show it.

    A template of mlevents shows of steps the deployment, of tags and properties the error of a run; one shows
    the first tags of a model.
    """
    if template not in SHIPPED_TEMPLATES:
        return {root: _start(value) for root, value in names.items()}
    found: dict[str, Any] = {
        root: {name: _start(value) for name, value in fields.items() if not isinstance(value, Mapping)}
        for root, fields in names.items()
        if root not in ("steps", "failure") and isinstance(fields, Mapping)
    }
    if error := _error(_map(names, "run")):
        found["run"]["tags"] = {"error": _start(error)}
    if template == TAGS_TEMPLATE:
        tags = islice(_map(_map(names, "model"), "tags").items(), MOST_TAGS)
        found.setdefault("model", {})["tags"] = {
            key[:LONGEST_SHOWN_TAG]: text[:LONGEST_SHOWN_TAG] for key, text in tags
        }
    deployed = find_deployed(names)
    steps = _map(names, "steps").items()
    return {**found, "steps": {step: result for step, result in steps if result is deployed}}


def _start(value: Any) -> Any:
    """The part of a value that `one_line` reads."""
    if isinstance(value, str):
        return value[: 4 * VALUE_LENGTH]
    if isinstance(value, Mapping):
        return {name: _start(inner) for name, inner in value.items()}
    return [_start(one) for one in value[:MOST_ITEMS]] if isinstance(value, list) else value


def _map(names: Mapping[str, Any], root: str) -> Mapping[str, Any]:
    found = names.get(root)
    return found if isinstance(found, Mapping) else {}


def _error(run: Mapping[str, Any]) -> str:
    """The first property or tag of a run whose key speaks of an error: the event has no field for it."""
    pairs = [*_map(run, "properties").items(), *_map(run, "tags").items()]
    return next((str(text) for key, text in pairs if "error" in str(key).lower() and text), "")
