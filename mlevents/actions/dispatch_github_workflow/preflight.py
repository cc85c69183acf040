"""Preflight checks of `dispatch_github_workflow`: the workflow, its trigger, and its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlevents.actions.remote_run import KEY_INPUT
from mlevents.actions.unresolved_parameters import is_unresolved, report_unresolved
from mlevents.errors import ActionError, ConfigError, PermanentError
from mlevents.registry import did_you_mean
from mlevents.services.finding import Finding
from mlevents.services.github.repository import Repository
from mlevents.services.github.workflows import WORKFLOW_DISPATCH, Workflow, read_workflow
from mlevents.services.sdk_errors import clean_text
from mlevents.yamlfile.reader import parse_yaml

READS_ACTIONS, READS_CONTENTS = {"actions": "read"}, {"contents": "read"}
type Open = Callable[[Mapping[str, str]], Repository]


def check_github_workflow(
    open_repository: Open, name: str, ref: str, inputs: Mapping[str, Any]
) -> Iterator[Finding]:
    """Check whether the workflow exists, waits for a dispatch, and declares the inputs of the rule."""
    about = f"workflow '{name}'"
    for parameter, text in (("workflow", name), ("ref", ref)):
        if is_unresolved(text):
            yield report_unresolved(parameter, text)
            return
    try:
        workflow, _ = read_workflow(open_repository(READS_ACTIONS), name)
    except PermanentError as error:
        yield Finding(about, False, clean_text(str(error)), "correct `workflow`, or push the file")
        return
    except (ActionError, ConfigError) as error:
        yield Finding(about, False, clean_text(str(error)), "run doctor again later")
        return
    if workflow.state != "active":
        yield Finding(about, False, f"is {workflow.state}", "enable it in GitHub, under Actions")
        return
    yield from _check_file(open_repository, workflow, ref, inputs)


def _check_file(
    open_repository: Open, workflow: Workflow, ref: str, inputs: Mapping[str, Any]
) -> Iterator[Finding]:
    about = f"workflow '{workflow.path}' at '{ref}'"
    try:
        text = open_repository(READS_CONTENTS).read_text(workflow.path, ref)
    except (ActionError, ConfigError) as error:
        said = clean_text(f"exists, but its file cannot be read, so its inputs were not checked: {error}")
        remedy = "let the GitHub App or the token read contents, if doctor shall check the inputs"
        yield Finding(about, None, said, remedy)
        return
    document = parse_yaml(text, workflow.path)
    content = document.value if isinstance(document.value, Mapping) else {}
    declared = find_dispatch_inputs(content)
    if declared is None:
        yield Finding(about, False, f"has no trigger '{WORKFLOW_DISPATCH}'", "add it under `on`")
        return
    faults = list(_find_faults(about, declared, inputs))
    yield from faults
    if KEY_INPUT not in declared or KEY_INPUT not in str(content.get("run-name")):
        said = f"has no input '{KEY_INPUT}' in `run-name`: after a lost answer its run is not recognised"
        yield Finding(about, None, said, f"declare the input {KEY_INPUT}, and name it in `run-name`")
    if not faults:
        yield Finding(about, True, "exists, and declares the inputs that the rule gives")


def find_dispatch_inputs(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The inputs that a workflow declares for a dispatch; None where it waits for none."""
    triggers = content.get("on")
    if triggers == WORKFLOW_DISPATCH or (isinstance(triggers, list) and WORKFLOW_DISPATCH in triggers):
        return {}
    if not isinstance(triggers, Mapping) or WORKFLOW_DISPATCH not in triggers:
        return None
    trigger = triggers[WORKFLOW_DISPATCH]
    inputs = trigger.get("inputs") if isinstance(trigger, Mapping) else None
    return inputs if isinstance(inputs, Mapping) else {}


def _find_faults(about: str, declared: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[Finding]:
    for name in inputs:
        if name not in declared:
            said = f"declares no input '{name}'{did_you_mean(name, declared)}"
            yield Finding(about, False, said, "declare it, or take it out of `inputs`")
    for name, one in declared.items():
        needed = isinstance(one, Mapping) and one.get("required") is True and "default" not in one
        if needed and name not in inputs and name != KEY_INPUT:
            yield Finding(about, False, f"requires the input '{name}', and the rule gives none", "add it")
