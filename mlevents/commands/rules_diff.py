"""What a change of the rules means: rules, filters and rights before and after it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.rules.extensions import list_own_files, use_extensions
from mlevents.rules.model import Rule, Rules
from mlevents.rules.needs import list_required_permissions
from mlevents.rules.rule_folder import find_project
from mlevents.services.services import Services
from mlevents.settings import Settings
from mlevents.yamlfile.positions import join_path
from mlevents.yamlfile.reader import parse_yaml
from mlevents.yamlfile.scalars import to_plain_numbers

LEFT_OUT = {"id", "where", "gates"}
LONGEST = 120
"""Characters of a value that people are shown; `diff --json` has the complete value."""


@dataclass(frozen=True, slots=True)
class RulesChange:
    """One value that differs: its path, before and after; None where it is not there."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """The change for people: of a long text, what is around the first difference."""
        if self.before is None:
            return f"{self.path}: added {_shorten(self.after or '')}"
        if self.after is None:
            return f"{self.path}: removed {_shorten(self.before)}"
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(self.before, self.after, strict=False))
        same = len(list(pairs))
        return f"{self.path}: {_shorten(self.before, same)} → {_shorten(self.after, same)}"

    def to_json(self) -> dict[str, Any]:
        """The change as `diff --json` prints it."""
        return {"path": self.path, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class RulesDiff:
    """The differences of two sets of rules: ids, and the changes of each rule, filter and the rest."""

    added: list[str]
    removed: list[str]
    changed: dict[str, list[RulesChange]]
    sections: list[RulesChange]
    filters: list[RulesChange]
    rights: list[RulesChange]

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed, self.sections, self.filters, self.rights))


def compare_rules(old: Rules, new: Rules, settings: Settings) -> RulesDiff:
    """The differences between two sets of rules, in the order of the rules."""
    before, after = ({rule.id: rule for rule in rules.rules} for rules in (old, new))
    both = {
        name: compare_values(_flatten(before[name]), _flatten(after[name]))
        for name in after
        if name in before
    }
    use_extensions(old.path)
    filters, rights = _list_filters(old), _list_rights(old, settings)
    use_extensions(new.path)
    return RulesDiff(
        added=[name for name in after if name not in before],
        removed=[name for name in before if name not in after],
        changed={name: changes for name, changes in both.items() if changes},
        sections=[
            *compare_values(_list_sections(old), _list_sections(new)),
            *_compare_files(old.files, new.files),
            *_compare_files(_read_own_files(old.path), _read_own_files(new.path)),
        ],
        filters=compare_values(filters, _list_filters(new)),
        rights=compare_values(rights, _list_rights(new, settings)),
    )


def compare_values(before: Mapping[str, str], after: Mapping[str, str]) -> list[RulesChange]:
    """The paths whose values differ, those of `after` first in its order."""
    paths = dict.fromkeys([*after, *before])
    return [
        RulesChange(path, before.get(path), after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    ]


def _flatten(rule: Rule) -> dict[str, str]:
    """Every value of a rule by its path, as JSON; gates by their keys, conditions by their own paths."""
    found = dict(_list_values("", rule.model_dump(mode="json", by_alias=True, exclude=LEFT_OUT)))
    # each gate by its own class: the rule knows only the base, which has no fields
    found |= _list_values("", {name: own.model_dump(mode="json") for name, own in rule.gates.items()})
    conditions: dict[str, list[Any]] = {}
    for part in rule.where.conjuncts() if rule.where else ():
        conditions.setdefault(part.path, []).append(part.wanted)
    return found | {path: ", ".join(map(_json, wanted)) for path, wanted in conditions.items()}


def _list_sections(rules: Rules) -> dict[str, str]:
    sections = {
        "workspaces": rules.workspaces,
        "connections": rules.connections,
        "endpoints": list(rules.endpoints),
        "filters": rules.filters,
    }
    return dict(_list_values("", sections))


def _compare_files(old: Mapping[str, str], new: Mapping[str, str]) -> list[RulesChange]:
    """The files that differ: their values where both are YAML mappings, else their size and digest."""
    changes = []
    for name in dict.fromkeys([*new, *old]):
        path, before, after = join_path("files", name), old.get(name), new.get(name)
        values = [_parse_mapping(text) for text in (before, after)]
        if before != after and all(values):
            changes += compare_values(*(dict(_list_values(path, value)) for value in values))
        elif before != after:
            changes.append(RulesChange(path, _describe_text(before), _describe_text(after)))
    return changes


def _read_own_files(rules: Path) -> dict[str, str]:
    """The extensions and message templates beside the rules, by their paths there."""
    project = find_project(rules)
    files = {file.relative_to(project).as_posix(): file for file in list_own_files(rules)}
    return {name: file.read_text("utf-8", "replace") for name, file in sorted(files.items())}


def _parse_mapping(text: str | None) -> dict[str, Any]:
    """The values of a YAML mapping; empty for any other text."""
    document = parse_yaml(text or "", "")
    found = None if document.broken else to_plain_numbers(document.value)
    return found if isinstance(found, dict) else {}


def _describe_text(text: str | None) -> str | None:
    """The size of a file, and a digest that tells two texts of one size apart."""
    if text is None:
        return None
    return f"{len(text.splitlines())} lines ({hashlib.sha256(text.encode()).hexdigest()[:8]})"


def _shorten(text: str, same: int = 0) -> str:
    """The text from shortly before its first `same` characters end, at most LONGEST of them."""
    start = 0 if len(text) <= LONGEST else max(same - LONGEST // 4, 0)
    part = text[start : start + LONGEST]
    return f"{'…' if start else ''}{part}{'…' if start + LONGEST < len(text) else ''}"


def _list_filters(rules: Rules) -> dict[str, str]:
    compiled = {name: one.to_json() for name, one in compile_filters(rules.rules, rules.filters).items()}
    return {
        join_path(name, key): _json(value)
        for name, found in compiled.items()
        for key, value in found.items()
        if key != "widened" and value
    }


def _list_rights(rules: Rules, settings: Settings) -> dict[str, str]:
    needed = list_required_permissions(rules, Services(settings, rules.connections))
    return {f"{one.scope} {one.resource}": ", ".join(sorted(one.actions)) for one in needed}


def _list_values(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Each value below a path that is no mapping or list, as JSON; what is empty is left out."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _list_values(join_path(path, key), inner)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, inner in enumerate(value):
            yield from _list_values(join_path(path, index), inner)
    elif value not in (None, "", [], {}):
        yield path, _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
