"""Checks in Azure of everything that the rules name; a failed check does not stop the others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from mlevents.actions.action import Action
from mlevents.actions.preflight_input import Preflight
from mlevents.doctor.resource_checks import (
    check_history,
    check_network,
    check_people_terms,
    check_permissions,
    check_settings,
    check_sign_in,
    check_subscriptions,
)
from mlevents.errors import ActionError, ConfigError, PermanentError
from mlevents.orchestration.host_requirements import find_unmet_requirements
from mlevents.rules.model import Rules
from mlevents.rules.needs import DistinctStep, list_distinct_steps, list_required_permissions
from mlevents.services.finding import Finding, run_check
from mlevents.services.permission import IDENTITY_SCOPE
from mlevents.services.sdk_errors import clean_text
from mlevents.services.services import Services
from mlevents.settings import Settings, find_unresolved_references

MAX_OWNERS = 3


@dataclass(frozen=True, slots=True)
class PartFinding:
    """A finding, and the part of the rule file that it belongs to."""

    part: str
    finding: Finding

    def to_json(self) -> dict[str, Any]:
        """The finding with its part."""
        return {"part": self.part, **asdict(self.finding)}


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
        yield from self._host_file()
        for found in check_people_terms(self.rules, self.services):
            yield PartFinding("approvals", found)
        signing_in = list(_guarded("identity", "sign-in", partial(check_sign_in, self.services)))
        yield from signing_in
        self._signed_in = all(one.finding.ok for one in signing_in)
        yield from self._workspaces()
        for name in self.rules.connections:
            yield from _guarded(f"connection {name}", name, partial(self._connection, name))
        for one in list_required_permissions(self.rules, self.services):
            if one.scope == IDENTITY_SCOPE:
                name = one.resource.rpartition("/")[2]
                yield from _guarded(f"identity {name}", name, partial(self._permissions, one.resource))
        for step in list_distinct_steps(self.rules):
            yield from _guarded(_title(step), step.uses, partial(self._step, step))

    def count_parts(self) -> int:
        """About how many parts there are: a part without findings counts too."""
        rules = self.rules
        return 1 + 2 * len(rules.workspaces) + len(rules.connections) + len(list_distinct_steps(rules))

    def _host_file(self) -> Iterator[PartFinding]:
        """What host.json beside the rules does not say; nothing where there is none."""
        folder = self.rules.path.parent
        if not (folder / "host.json").is_file():
            return
        for line in find_unmet_requirements(folder, self.settings.environment):
            said, _, remedy = line.removeprefix("host.json: ").rpartition(": ")
            yield PartFinding("host.json", Finding("host.json", False, said, remedy))

    def _workspaces(self) -> Iterator[PartFinding]:
        for name, id in self.rules.workspaces.items():
            yield from _guarded(f"workspace {name}", name, partial(self._workspace, name, id))
        if not self.rules.workspaces:
            said = "no workspace is listed: the app acts on events from every workspace, and none was checked"
            remedy = "list your workspaces under `workspaces`"
            yield PartFinding("workspaces", Finding("workspaces", None, said, remedy))
        for name, id in self._there.items():
            check = partial(check_subscriptions, self.rules, self.services, id, self._app)
            yield from _guarded(f"events of workspace {name}", name, check)

    def _workspace(self, name: str, id: str) -> Iterator[Finding]:
        if unset := check_settings(self.rules, self.services, f"workspaces.{name}"):
            yield from unset
            return
        if not self._signed_in:
            yield Finding(
                name, None, "was not checked, because you are not signed in", "sign in, then run doctor again"
            )
            return
        self._there[name] = id

        def reachable() -> str:
            region = self.services.machine_learning(id).location()
            if region is None:
                del self._there[name]
                raise PermanentError(f"the workspace {id} does not exist")
            return f"exists, in {region}"

        yield run_check(name, reachable, "correct its id under `workspaces`, or create the workspace")
        if name in self._there:
            yield from self._permissions(id)
            yield from check_network(self.services, id)
            yield from check_history(self.services, id)

    def _connection(self, name: str) -> Iterator[Finding]:
        if unset := check_settings(self.rules, self.services, f"connections.{name}"):
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

    def _permissions(self, resource: str) -> Iterator[Finding]:
        return check_permissions(self.rules, self.services, resource)

    def _step(self, step: DistinctStep) -> Iterator[Finding]:
        if self._broken.intersection(step.connections()):
            return  # the finding of the connection has the reason
        places = {name: id for name, id in step.workspaces.items() if name in self._there}
        read = self.rules.files.__getitem__
        context = Preflight(self.services, tuple(places.values()), read, self._quota)
        known, left_out = bind_known_parameters(step)
        for name in left_out:
            yield Finding(name, None, "is filled in from each event, so it was not checked")
        if known is not None:
            yield from known.preflight(context)


def bind_known_parameters(step: DistinctStep) -> tuple[Action | None, list[str]]:
    """The step's action without the parameters that must wait for an event, and the names of these.

    None if the action is not valid without them: a text can keep its `${…}`, a number cannot.
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
    """The findings of one part; an error in it becomes one of them."""
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
