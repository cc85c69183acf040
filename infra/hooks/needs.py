"""What the rules need of Azure: which workspaces, which factories, what to do there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.hooks.programs import ROOT, HookError, mlevents
from mlevents.rules.file import load_rules
from mlevents.rules.model import Rules
from mlevents.settings import Settings, find_default_rules

ATTACHED = ("workspace", "data_factory", "ml_registry", "identity")
"""What the app gets a role of its own on; for other services, see docs/deployment.md."""


@dataclass(frozen=True, slots=True)
class ArmId:
    """The resource id of a workspace or a factory; equal whatever its case."""

    text: str

    @property
    def subscription(self) -> str:
        """The subscription it is in."""
        return self.text.split("/")[2]

    @property
    def group(self) -> str:
        """The resource group it is in."""
        return self.text.split("/")[4]

    @property
    def name(self) -> str:
        """Its own name."""
        return self.text.split("/")[8]

    @property
    def provider(self) -> str:
        """The namespace of its type, in small letters."""
        return self.text.split("/")[6].casefold()

    @property
    def type(self) -> str:
        """The type of the resource within its provider, in small letters: `workspaces`, `factories` …"""
        return self.text.split("/")[7].casefold()

    @property
    def group_id(self) -> str:
        """The resource id of its resource group."""
        return "/".join(self.text.split("/")[:5])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArmId) and self.text.casefold() == other.text.casefold()

    def __hash__(self) -> int:
        return hash(self.text.casefold())


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rule file asks of Azure: where events come from, what must be allowed where, filters' labels.

    `users` has the rules that use each element, such as a type of connection.
    """

    workspaces: tuple[ArmId, ...]
    rights: Mapping[str, Mapping[ArmId, list[str]]]
    labels: Mapping[str, str]
    users: Mapping[str, list[str]]

    @property
    def places(self) -> tuple[ArmId, ...]:
        """Every workspace and factory that the app is attached to."""
        allowed = (one for each in self.rights.values() for one in each)
        return tuple(dict.fromkeys((*self.workspaces, *allowed)))

    def allowed(self, scope: str) -> list[dict[str, Any]]:
        """What access.bicep takes for one kind of resource: `workspace`, `data_factory` …"""
        return [{"id": one.text, "actions": actions} for one, actions in self.rights.get(scope, {}).items()]


def read_rules(environment: Mapping[str, str]) -> Rules:
    """The rules, settings or not; raises RulesError when they are broken."""
    return load_rules(find_rules(environment), Settings.read(environment), require_settings=False)


def find_rules(environment: Mapping[str, str]) -> Path:
    """The rule file of this project, or its folder of rule files."""
    named = environment.get("MLEVENTS_RULES")
    return ROOT / named if named else find_default_rules(ROOT)


def read_needs(environment: Mapping[str, str]) -> Needs:
    """The needs of the rule file; raises RulesError when it is broken."""
    rules = read_rules(environment)
    done = mlevents("doctor", "--needs", "--json", environment=environment, keep=True)
    if done.returncode != 0:
        raise HookError(
            "`python -m mlevents doctor --needs` did not list the required permissions (see above)"
        )
    told = json.loads(done.stdout)
    rights: dict[str, dict[ArmId, list[str]]] = {}
    for one in told["resources"]:
        if one["scope"] in ATTACHED:
            rights.setdefault(one["scope"], {})[ArmId(one["resource"])] = one["actions"]
    workspaces = dict.fromkeys(ArmId(text.rstrip("/")) for text in rules.workspaces.values())
    users = {one["element"]: one["rules"] for one in told["elements"]}
    return Needs(tuple(workspaces), rights, told["labels"], users)
