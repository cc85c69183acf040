"""Checks of steps: their actions, parameters, connections, files and expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mlevents.actions.action import Action, ConnectionName, RuleFile
from mlevents.expressions.name_check import check_expressions
from mlevents.registry import UnknownNameError, did_you_mean
from mlevents.rules.allowed_names import check_allowed_names
from mlevents.rules.references import Reference, find_references
from mlevents.rules.report import Report
from mlevents.rules.rule_folder import RuleFolder
from mlevents.rules.step_ids import StepIds
from mlevents.rules.step_order import PlacedStep, find_forward_references
from mlevents.rules.validation_messages import ErrorMessages, describe_unknown_name
from mlevents.rules.vocabulary import Vocabulary
from mlevents.yamlfile.positions import join_path

ExpressionNames = Mapping[str, Any]
"""The names that expressions may use: root → field → type."""

_STEP_KEYS = ("uses", "with", "id", "if", "retry", "timeout")
STEP_RESULT = "any"
"""The type of a step's results: only the action knows them."""


@dataclass(slots=True)
class StepCheck:
    """Checks steps against the file as written, its connections, and the files next to it."""

    report: Report
    vocabulary: Vocabulary
    connections: Mapping[str, Mapping[str, Any]]
    folder: RuleFolder
    file: Mapping[str, Any] = field(default_factory=dict)
    contents: dict[str, str | None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    templates: set[str] = field(default_factory=set)

    def check_steps(self, written: object, path: str, names: ExpressionNames) -> list[str]:
        """Report the problems of a list of steps; a step may read the results of earlier steps.

        Returns the ids of the steps.
        """
        steps: list[PlacedStep] = []
        taken = StepIds()
        for index, step in enumerate(written if isinstance(written, list) else ()):
            if isinstance(step, dict):
                place = join_path(path, index)
                steps.append(PlacedStep(self._take_id(step, place, taken), place, step))
        ids = [step.id for step in steps]
        known = {**names, "steps": names.get("steps", {}) | dict.fromkeys(ids, STEP_RESULT)}
        for one in steps:
            if self.report.is_full:
                return ids
            self._check_step(one.written, one.path, known)
            known |= self.vocabulary.list_given_names([one.written])
        self.report.errors("", find_forward_references(steps, names.get("steps", ())))
        return ids

    def _take_id(self, step: Mapping[str, Any], path: str, ids: StepIds) -> str:
        written = step.get("id")
        if not isinstance(written, str):
            return ids.next(str(step.get("uses")))
        if not ids.take(written):
            self.report.error(
                join_path(path, "id"), f"'{written}' is the id of an earlier step: choose another"
            )
        return written

    def _check_step(self, step: Mapping[str, Any], path: str, names: ExpressionNames) -> None:
        for key in ("with", "if"):
            self.check_values(step.get(key), join_path(path, key), names)
        if isinstance(held := step.get("if"), str) and "${" not in held:
            fault = f"'{held}' is always true: write an expression, such as ${{{held}}}"
            self.report.error(join_path(path, "if"), fault)
        if not isinstance(step.get("uses"), str):
            return
        try:
            action = self.vocabulary.actions.find(step["uses"])
        except UnknownNameError as error:
            self.report.error(
                join_path(path, "uses"), describe_unknown_name(error, self.vocabulary.actions.names())
            )
        else:
            self._check_keys(action, step, path)
            self._check_parameters(action, step.get("with", {}), join_path(path, "with"))
            self._check_event_parameters(action, step, path, names)
            self._check_allowed_names(action, step.get("with"), join_path(path, "with"))

    def _check_keys(self, action: type[Action], step: Mapping[str, Any], path: str) -> None:
        """Report parameters that are written beside `with`."""
        for key in step:
            if key in action.model_fields and key not in _STEP_KEYS:
                fault = f"'{key}' is a parameter of {step['uses']}: move it below `with`"
                self.report.replace_error(join_path(path, key), fault)

    def _check_event_parameters(
        self, action: type[Action], step: Mapping[str, Any], path: str, names: ExpressionNames
    ) -> None:
        for parameter, root in action.from_event.items():
            if root not in names and parameter not in (step.get("with") or ()):
                fault = f"the events of this rule have no {root}, so '{parameter}' has no default: set it"
                self.report.error(join_path(path, "with"), fault)

    def _check_allowed_names(self, action: type[Action], written: object, path: str) -> None:
        if action.target is not None:
            given = written if isinstance(written, dict) else {}
            self.report.errors(path, check_allowed_names(action.target, given, self.file))

    def _check_parameters(self, action: type[Action], written: object, path: str) -> None:
        if not isinstance(written, dict) or self.report.is_full:
            return
        names = list(find_references(action, written, path))
        faults = [self.check_reference(named) for named in names]
        try:
            parameters = action.model_validate(written)
        except ValidationError as error:
            self.report.errors(
                path, ErrorMessages(action, "parameter", filled_later=True).translate(error, written)
            )
        else:
            for parameter, text in parameters.find_warnings():
                self.report.warn(f"{path}.{parameter}", text)
            for fault in parameters.find_connection_faults(self.connections, self.report.settings.values):
                self.report.error(path, fault)
            files = [named.text for named in names if isinstance(named.marker, RuleFile)]
            if files and not any(faults) and not any("${" in name for name in files):
                self._check_files(parameters, files, path)

    def check_reference(self, named: Reference) -> str | None:
        """Report the problem of the connection or file that a parameter names, and return it."""
        if isinstance(named.marker, ConnectionName):
            fault = self._find_connection_fault(named.text, named.marker.types)
        elif "${" in named.text:
            fault = f"'{named.text}' is an expression: write a fixed file name"
        else:
            fault = self.folder.fault(named.text)
            self.files.add(named.text)
            if named.path.endswith(".template"):
                self.templates.add(named.text)
        if fault:
            self.report.error(named.path, fault)
        return fault

    def _check_files(self, parameters: Action, files: list[str], path: str) -> None:
        """Report the problem that the action finds in its files; equal files and values are checked once."""
        values = [value for _, value in parameters if not isinstance(value, str)]
        key = f"{type(parameters).__qualname__} {files} {values}"
        if key not in self.contents:
            self.contents[key] = self.folder.find_content_fault(parameters.check)
        if fault := self.contents[key]:
            self.report.error(path, fault)

    def _find_connection_fault(self, name: str, wanted: tuple[str, ...]) -> str | None:
        self.used.add(name)
        if "${" in name:
            return f"'{name}' is an expression: write the name of a connection"
        if name not in self.connections:
            near = did_you_mean(name, self.connections)
            return f"unknown connection '{name}'{near}: {self._type_remedy(wanted)}"
        kind = self.connections[name].get("type")
        if kind not in self.vocabulary.connections or self._fits(kind, wanted):
            return None
        return f"the connection '{name}' has the type {kind}, which does not fit: {self._type_remedy(wanted)}"

    def _fits(self, kind: Any, wanted: tuple[str, ...]) -> bool:
        """Whether a connection of this type is one of those wanted, or, if none are named, takes messages."""
        return kind in wanted if wanted else hasattr(self.vocabulary.connections.find(kind), "send")

    def _type_remedy(self, wanted: tuple[str, ...]) -> str:
        receivers = (one for one in self.vocabulary.connections.names() if self._fits(one, ()))
        types = " or ".join(wanted or receivers)
        return f"use a connection of type {types}, listed under 'connections'"

    def check_values(self, value: object, path: str, names: ExpressionNames) -> None:
        """Report the problems of the expressions in a value."""
        if isinstance(value, str):
            for fault in check_expressions(value, names) if "$" in value else ():
                self.report.error(path, fault)
        elif isinstance(value, dict):
            for key, inner in value.items():
                self.check_values(inner, join_path(path, key), names)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.check_values(inner, join_path(path, index), names)
