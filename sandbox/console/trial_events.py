"""The events that the page publishes: those of the rule file's own tests, and what a form says."""

import asyncio
import shlex
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlevents.errors import ConfigError
from mlevents.events import NAMES
from mlevents.rule_tests.event_arguments import ArgumentError, check_kind, read_arguments
from mlevents.rule_tests.event_builder import BuiltEvent
from mlevents.rule_tests.name_check import WORKSPACE_KEY
from mlevents.rule_tests.runner import RuleTest, RuleTestRunner
from mlevents.rule_tests.trial_event import build_publication, build_trial_event
from mlevents.rules.file import load_rules
from mlevents.settings import Settings
from sandbox.azure.workspaces import Workspaces

ABOUT = ("name", "service", "monitor", "id")
"""The short name of what an event is about: the first that its type has."""


async def read_tests(rules: Path, environment: Mapping[str, str]) -> list[RuleTest]:
    """The tests of the rule file or folder as it is now, also where a rule has a mistake."""
    runner = RuleTestRunner()

    def read() -> None:
        with suppress(ConfigError):
            load_rules(rules, Settings.read(environment), require_settings=False, tests=runner)

    await asyncio.to_thread(read)
    return runner.tests


def build_test_event(test: RuleTest, ready: Mapping[str, Any], workspaces: Workspaces) -> BuiltEvent:
    """The event of a test with a new id, as old now as it is in the test; raises ArgumentError."""
    [(kind, given)] = test.given.items()
    names = {root: dict(fields) for root, fields in given.items() if root != WORKSPACE_KEY}
    workspace = ready["workspaces"].get(given.get(WORKSPACE_KEY), ready["workspace"])
    now = datetime.now(UTC)
    envelope = {name: value for name, value in names.pop("event", {}).items() if name not in ("id", "time")}
    if test.arrival.now and (time := test.arrival.event.time):
        envelope["time"] = (now - (test.arrival.now - datetime.fromisoformat(time))).isoformat()
    if "run" in names:
        names["run"].setdefault("experiment_id", str(uuid.uuid4()))  # every run has one
    _number_version(kind, names, workspace, workspaces)
    return build_publication(kind, {**names, "event": envelope}, workspace, now)


def build_form_event(form: Mapping[str, str], ready: Mapping[str, Any], workspaces: Workspaces) -> BuiltEvent:
    """The event that the form says, in the words of `mlevents event`; raises ArgumentError."""
    kind = form.get("type", "").strip()
    check_kind(kind)
    name, arguments = form.get("name", "").strip(), _split(form.get("more", ""))
    about = next((one for one in ABOUT if any(one in fields for fields in _list_fields(kind))), None)
    arguments += [f"{about}={name}"] if name and about else []
    arguments += [f"tags.{one}" for one in _split(form.get("tags", ""))]
    said = read_arguments(kind, arguments)
    workspace = ready["workspaces"].get(form.get("workspace"), ready["workspace"])
    _number_version(kind, said, workspace, workspaces)
    return build_trial_event(kind, said, workspace, datetime.now(UTC))


def _list_fields(kind: str) -> list[Mapping[str, Any]]:
    return [fields for root, fields in NAMES[kind].items() if root not in ("event", WORKSPACE_KEY)]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ArgumentError(f"'{text:.100}' has a quote that is not closed") from error


def _number_version(
    kind: str, names: dict[str, dict[str, Any]], workspace: str, workspaces: Workspaces
) -> None:
    """Give a model without a version the next one that Azure ML would give it."""
    model = names.get("model", {})
    if kind == "model.registered" and model.get("name") and "version" not in model:
        model["version"] = workspaces.find_next_version(workspace, str(model["name"]))
