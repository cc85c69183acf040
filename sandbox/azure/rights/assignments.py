"""The rights here: the app has what the rules' custom roles allow, people have every right.

The app's identity has the actions that `python -m mlevents doctor --needs` lists for its rules, each at the
resource on which `infra/access.bicep` assigns them, and on the Communication Services resource the role that
`infra/main.bicep` assigns. On each hub, queue or topic of a connection it has the role of a sender, as if
`infra/targets.json` listed them all. Rules that cannot be loaded give it nothing.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlevents.errors import ConfigError
from mlevents.rules.extensions import list_own_files
from mlevents.rules.file import load_rules
from mlevents.rules.needs import list_required_permissions
from mlevents.services.services import Services
from mlevents.settings import Settings
from sandbox.azure.identity import OWNER
from sandbox.azure.stream_targets import SEND, find_stream_targets
from sandbox.azure.workspace import SUBSCRIPTION_ID, WORKSPACE, WORKSPACE_ID

COMMUNICATION_ID = (
    f"{SUBSCRIPTION_ID}/resourceGroups/rg-mlevents/providers/Microsoft.Communication"
    "/communicationServices/acs-mlevents"
)
STORAGE_ID = (
    f"{SUBSCRIPTION_ID}/resourceGroups/rg-mlevents/providers/Microsoft.Storage/storageAccounts/stmlevents"
)
"""The app's own account."""
MAIL = "Microsoft.Communication/communicationServices/*"
"""What Communication and Email Service Owner allows, in part."""
BLOBS_READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
"""What Storage Blob Data Owner allows, in part: the app has that role on its own account."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role's actions at a scope, and at all that is below it."""

    scope: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def reaches(self, scope: str) -> bool:
        """Whether the assignment applies to this scope."""
        own = self.scope.rstrip("/").lower()
        return scope.rstrip("/").lower() == own or scope.lower().startswith(f"{own}/")

    def allows(self, action: str) -> bool:
        """Whether it has the action; `*` stands for any text."""
        return _fits(self.actions, action) and not _fits(self.not_actions, action)

    def to_json(self) -> dict[str, Any]:
        """As Resource Manager lists it."""
        empty: dict[str, Any] = {"dataActions": [], "notDataActions": []}
        return {"actions": list(self.actions), "notActions": list(self.not_actions), **empty}


EVERYTHING = (Assignment("", ("*",)),)
Assignments = Iterable[Assignment]


class Rights:
    """The rights of the app and of people; `app_rights` is asked each time, so that they follow the rules."""

    def __init__(self, app_rights: Callable[[], Assignments] = tuple) -> None:
        self.app_rights = app_rights
        self._instead: dict[tuple[str, str], tuple[Assignment, ...]] = {}

    def held(self, who: str, scope: str) -> list[Assignment]:
        """The assignments that hold for a caller at a scope."""
        for (caller, place), assignments in self._instead.items():
            if caller == who and Assignment(place, ()).reaches(scope):
                return list(assignments)
        held = EVERYTHING if who == OWNER else self.app_rights()
        return [one for one in held if one.reaches(scope)]

    def allowed(self, who: str, action: str, scope: str) -> bool:
        """Whether one assignment allows it."""
        return any(one.allows(action) for one in self.held(who, scope))

    def replace(self, who: str, scope: str, permissions: Sequence[Mapping[str, Any]]) -> None:
        """Replace the permissions at a scope."""
        self._instead[who, scope] = tuple(
            Assignment(scope, tuple(one["actions"]), tuple(one.get("notActions") or ()))
            for one in permissions
        )

    def restore(self) -> None:
        """Remove every replacement."""
        self._instead.clear()


class RuleRights:
    """What a rule file, or a folder of them, needs; read again when a file of it changes, if `follow`."""

    def __init__(self, rules: Path, environment: Mapping[str, str], follow: bool = True) -> None:
        self._follow = follow
        self._rules = rules
        self._environment = environment
        self._read: tuple[object, tuple[Assignment, ...]] = (None, ())

    def __call__(self) -> tuple[Assignment, ...]:
        """The assignments, as infra/ makes them."""
        signature = self._signature() if self._follow else "unchanged"
        if self._read[0] != signature:
            self._read = (signature, self._load())
        return self._read[1]

    def _signature(self) -> object:
        own = sorted(self._rules.rglob("*.y*ml")) if self._rules.is_dir() else [self._rules]
        files = [*own, *list_own_files(self._rules)]
        return [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()]

    def _load(self) -> tuple[Assignment, ...]:
        try:
            settings = Settings.read(self._environment)
            rules = load_rules(self._rules, settings, require_settings=False)
        except ConfigError as error:
            log.warning("the app has no rights, because its rules cannot be loaded:\n%s", error)
            return ()
        if not rules.workspaces:  # infra/ refuses such a file; here there is one workspace that it can mean
            rules = replace(rules, workspaces={WORKSPACE: WORKSPACE_ID})
        found = list_required_permissions(rules, Services(settings, rules.connections))
        assigned = [Assignment(one.resource, tuple(sorted(one.actions))) for one in found]
        if any(one.get("type") == "email" for one in rules.connections.values()):
            assigned.append(Assignment(COMMUNICATION_ID, (MAIL,)))
        targets = find_stream_targets(rules.connections, self._environment)
        assigned += [Assignment(one.id, (SEND[one.kind],)) for one in targets]
        return tuple(assigned)


class AppRights:
    """The rights of the rules that the app runs with now, by the settings that `environment` gives.

    Unless they `follow` the files, they are those of the files as they were at first.
    """

    def __init__(self, environment: Callable[[], Mapping[str, str]], follow: bool = True) -> None:
        self._follow = follow
        self._environment = environment
        self._rights: dict[Path, RuleRights] = {}

    def __call__(self) -> tuple[Assignment, ...]:
        """The assignments, as infra/ makes them."""
        settings = self._environment()
        if not settings:  # it has not been started yet
            return ()
        rules = Settings.read(settings).rules
        known = self._rights.setdefault(rules, RuleRights(rules, settings, self._follow))
        return (*known(), Assignment(STORAGE_ID, (BLOBS_READ,)))


def _fits(patterns: Iterable[str], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(one).replace(r"\*", ".*"), action, re.IGNORECASE | re.DOTALL)
        for one in patterns
    )
