"""Checks in Azure of everything that the rules name; a failed check does not stop the others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError

from mlevents.actions.action import Action, Preflight
from mlevents.errors import ActionError, ConfigError, PermanentError
from mlevents.eventgrid.subscription_diff import compare_subscriptions
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.rules.model import Rules
from mlevents.rules.needs import DistinctStep, list_distinct_steps, list_required_permissions
from mlevents.rules.rule_folder import RuleFolder
from mlevents.services.finding import Finding, run_check
from mlevents.services.permission import IDENTITY_SCOPE, is_allowed
from mlevents.services.sdk_errors import clean_text
from mlevents.services.services import Services
from mlevents.settings import Settings, find_unresolved_references

APP_HOST_SETTING = "WEBSITE_HOSTNAME"
"""Set in the running app: only there a missing setting is an error."""
UNSET_REMEDY = "set it on the Function App, or in local.settings.json"
MAX_OWNERS = 3


@dataclass(frozen=True, slots=True)
class PartFinding:
    """A finding, and the part of the rule file that it belongs to."""

    part: str
    finding: Finding


class Doctor:
    """Checks what one rule file needs in Azure, with the identity and the settings of this process."""

    def __init__(self, rules: Rules, settings: Settings, app: str = "", quota: bool = False) -> None:
        self.rules = rules
        self.settings = settings
        self.services = Services(settings, rules.connections)
        self._app = app
        self._quota = quota
        self._there: dict[str, str] = {}
        self._broken: set[str] = set()
        self._signed_in = True

    def findings(self) -> Iterator[PartFinding]:
        """Everything, in the order of the rule file."""
        for line in find_unresolved_references(self.settings.environment):
            said, _, remedy = line.partition(": ")
            yield PartFinding("settings", Finding(said.split("'")[1], False, said, remedy))
        signing_in = list(_guarded("identity", "sign-in", self._identity))
        yield from signing_in
        self._signed_in = all(one.finding.ok for one in signing_in)
        for name, id in self.rules.workspaces.items():
            yield from _guarded(f"workspace {name}", name, partial(self._workspace, name, id))
        if not self.rules.workspaces:
            said = (
                "the rule file lists no workspace, so the app acts on events from all, and none was checked"
            )
            yield PartFinding(
                "workspaces", Finding("workspaces", None, said, "list yours under `workspaces`")
            )
        for name, id in self._there.items():
            yield from _guarded(f"events of workspace {name}", name, partial(self._subscriptions, id))
        for name in self.rules.connections:
            yield from _guarded(f"connection {name}", name, partial(self._connection, name))
        for one in list_required_permissions(self.rules, self.services):
            if one.scope == IDENTITY_SCOPE:
                name = one.resource.rpartition("/")[2]
                yield from _guarded(f"identity {name}", name, partial(self._permissions, one.resource))
        for step in list_distinct_steps(self.rules):
            yield from _guarded(_title(step), step.uses, partial(self._step, step))

    def _identity(self) -> Iterator[Finding]:
        remedy = "sign in (az login), or run with the app's identity"
        manager = self.services.resource_manager()
        yield run_check("sign-in", lambda: f"signed in as {manager.identity()}", remedy)

    def _workspace(self, name: str, id: str) -> Iterator[Finding]:
        if unset := self._unset(f"workspaces.{name}"):
            yield from unset
            return
        if not self._signed_in:
            yield Finding(
                name, None, "was not checked: you are not signed in", "sign in, then run doctor again"
            )
            return
        self._there[name] = id

        def reachable() -> str:
            region = self.services.machine_learning(id).location()
            if region is None:
                del self._there[name]
                raise PermanentError(f"the workspace {id} does not exist")
            return f"exists, in {region}"

        yield run_check(name, reachable, "correct its id under `workspaces`, or create it")
        if name in self._there:
            yield from self._permissions(id)
            yield from self._network(id)

    def _network(self, id: str) -> Iterator[Finding]:
        """What the doctor cannot see of a private workspace: Resource Manager answers from anywhere."""
        if self.services.machine_learning(id).is_private():
            said = (
                "public network access is disabled: it cannot be seen from here whether the app reaches the "
                "workspace's network, and with it scoring addresses and batch endpoints"
            )
            remedy = "give the app a subnet or a peering there: docs/deploying.md, 'A private network'"
            yield Finding("network", None, said, remedy)

    def _connection(self, name: str) -> Iterator[Finding]:
        if unset := self._unset(f"connections.{name}"):
            self._broken.add(name)
            yield from unset
            return
        connection = self.services.connection(name)
        for finding in connection.preflight(self.services):
            if finding.ok is False:
                self._broken.add(name)
            yield finding
        if connection.resource and name not in self._broken:
            yield from self._permissions(connection.resource)

    def _unset(self, path: str) -> list[Finding]:
        """The settings that this part of the rule file names and that are not set."""
        inside = (f"{path}.", f"{path}[")
        here = [one for one in self.rules.warnings if one.path == path or one.path.startswith(inside)]
        names = dict.fromkeys(one.setting for one in here if one.setting)
        ok = False if self.settings.environment.get(APP_HOST_SETTING) else None
        rest = "" if ok is False else "; the checks that need it were skipped"
        about = path.partition(".")[2]
        said = [f"the app setting '{name}' is not set{rest}" for name in names]
        return [Finding(about, ok, text, UNSET_REMEDY) for text in said]

    def _permissions(self, resource: str) -> Iterator[Finding]:
        """The permissions that the rules need on this resource and that are not granted."""
        asked = [
            one
            for one in list_required_permissions(self.rules, self.services)
            if one.resource.lower() == resource.lower()
        ]
        if not asked:
            return
        grants = self.services.resource_manager().permissions(resource)
        if grants is None:
            right = "Microsoft.Authorization/permissions/read, which Reader has"
            yield Finding("permissions", None, "may not be read", f"allow yourself {right}")
            return
        actions = asked[0].actions
        missing = [name for name in actions if not is_allowed(grants, name)]
        for name in missing:
            elements, role = actions[name]
            said = f"is not allowed, but {', '.join(sorted(elements))} needs it"
            remedy = f"assign the role {role} on it to this identity, or a custom role with this action"
            yield Finding(name, False, said, remedy)
        if not missing:
            yield Finding("permissions", True, f"all {len(actions)} that the rules need are granted")

    def _step(self, step: DistinctStep) -> Iterator[Finding]:
        if self._broken.intersection(step.connections()):
            return  # the finding of the connection has the reason
        places = {name: id for name, id in step.workspaces.items() if name in self._there}
        read = RuleFolder(self.rules.path.parent).read
        context = Preflight(self.services, tuple(places.values()), read, self._quota)
        known, left_out = bind_known_parameters(step)
        for name in left_out:
            yield Finding(name, None, "comes from the event, so it was not checked")
        if known is not None:
            yield from known.preflight(context)

    def _subscriptions(self, workspace: str) -> Iterator[Finding]:
        found = self.services.resource_manager().event_subscriptions(workspace)
        if found is None:
            remedy = "give yourself the role Reader on the workspace's subscription"
            yield Finding("event subscriptions", None, "may not be read", remedy)
            return
        yield from compare_subscriptions(
            compile_filters(self.rules.rules, self.rules.filters), found, self._app
        )


def bind_known_parameters(step: DistinctStep) -> tuple[Action | None, list[str]]:
    """The step's action without the parameters that must wait for an event, and the names of these.

    None where it cannot be without them: a text may stay as it is written, a number with `${…}` cannot.
    """
    given = dict(step.parameters)
    try:
        return step.action.model_validate(given), []
    except ValidationError as error:
        waiting = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]})
    try:
        return step.action.model_validate({k: v for k, v in given.items() if k not in waiting}), waiting
    except ValidationError:
        return None, waiting


def _guarded(part: str, about: str, examine: Callable[[], Iterable[Finding]]) -> Iterator[PartFinding]:
    """The findings of one part; what goes wrong in it is one of them."""
    try:
        for finding in examine():
            yield PartFinding(part, finding)
    except (ActionError, ConfigError) as error:
        yield PartFinding(
            part, Finding(about, False, clean_text(str(error)), "fix this, then run doctor again")
        )
    except Exception as error:  # noqa: BLE001 - the boundary: a fault in one part hides no other
        said = clean_text(f"a fault in mlevents: {type(error).__name__}: {error}")
        yield PartFinding(part, Finding(about, False, said, "report it, with this command's output"))


def _title(step: DistinctStep) -> str:
    more = len(step.owners) - MAX_OWNERS
    shown = ", ".join(step.owners[:MAX_OWNERS]) + (f" and {more} more" if more > 0 else "")
    return f"{step.uses} in {shown}"
