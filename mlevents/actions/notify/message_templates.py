"""What the templates of `notify` insert: the names of the event, the steps, and what is known besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlevents.message_templates.own_templates import list_own_templates
from mlevents.message_templates.template_engine import SHIPPED_TEMPLATES, inserts_value, render_template
from mlevents.services.message_text import VALUE_LENGTH

if TYPE_CHECKING:
    from mlevents.actions.action import StepContext

MOST_ITEMS = 100
READING_TEMPLATE, READ_VALUE = "run-failed", "reason"
"""The template of mlevents for which runs are read, and the value by which an own template asks for that."""


def reads_runs(name: object) -> bool:
    """Whether a template shows why runs failed."""
    if name in SHIPPED_TEMPLATES or name not in list_own_templates():
        return name == READING_TEMPLATE
    return inserts_value(str(name), READ_VALUE)


def render(name: str, context: StepContext, reason: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """The subject and the text of a template for this step; raises PermanentError where it fails.

    `reason` is what `failed_runs` has read, where a template shows it.
    """
    return render_template(name, {**_names(context), READ_VALUE: reason or {}})


def _names(context: StepContext) -> dict[str, Any]:
    """The event's names, and the other values that templates show."""
    run, deployed = _map(context.names, "run"), _deployed(context.names)
    endpoint = str(deployed.get("endpoint") or "")
    monitor_run = _map(context.names, "drift").get("monitor_run")
    workspace = str(_map(context.names, "workspace").get("id") or context.event.topic)
    return {
        **context.names,
        "topic": context.event.topic,
        "event_type": context.event.type,
        "response": {"id": context.id, "rule": context.rule, "step": context.step},
        "error": _error(run),
        "endpoint": endpoint,
        "deployed": deployed,
        "run_link": _link(f"runs/{_quoted(run['id'])}", workspace) if run.get("id") else "",
        "endpoint_link": _link(f"endpoints/realtime/{_quoted(endpoint)}/detail", workspace)
        if endpoint
        else "",
        "drift_link": _link(f"runs/{_quoted(monitor_run)}", workspace) if monitor_run else "",
    }


def inserted_names(names: Mapping[str, Any], template: object = None) -> dict[str, Any]:
    """Of an event's names, `steps` and `failure` what this template can insert, as far as it can show it.

    A template of mlevents shows of tags and properties the error of a run, and of steps the deployment.
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
    deployed = _deployed(names)
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


def _deployed(names: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of a deployment: the failed one's report, else the last earlier step's result."""
    steps = [*_map(names, "steps").values(), _map(names, "failure")]
    return next((step for step in reversed(steps) if isinstance(step, Mapping) and step.get("endpoint")), {})


def _error(run: Mapping[str, Any]) -> str:
    """The first property or tag of a run whose key speaks of an error: the event has no field for it."""
    pairs = [*_map(run, "properties").items(), *_map(run, "tags").items()]
    return next((str(text) for key, text in pairs if "error" in str(key).lower() and text), "")


def _link(page: str, workspace: str) -> str:
    return f"https://ml.azure.com/{page}?wsid={_quoted(workspace, '/')}"


def _quoted(name: object, safe: str = "") -> str:
    return quote(str(name), safe, errors="replace")
