"""Checks of one Azure resource that the rules name: its settings, permissions, network and subscriptions."""

from collections.abc import Iterator

from mlevents.eventgrid.subscription_diff import compare_subscriptions
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.gates.approve.terms import NEEDS_SIGN_IN
from mlevents.rules.model import Rules
from mlevents.rules.needs import list_required_permissions
from mlevents.services.finding import Finding, run_check
from mlevents.services.permission import ML, READER, actions_below, is_allowed
from mlevents.services.services import Services

APP_HOST_SETTING = "WEBSITE_HOSTNAME"
"""Set in the running app: only there a missing setting is an error."""
HISTORY_ACTIONS = actions_below(
    ML, "read", "models/read", "models/versions/read", "experiments/read", "experiments/runs/read"
)
"""What reads the models and runs of a workspace: docs/event-history.md."""
SIGN_IN_REMEDY = "sign in (az login), or run with the app's identity"
UNSET_REMEDY = "set it on the Function App, or in local.settings.json"


def check_sign_in(services: Services) -> Iterator[Finding]:
    """Whether Azure answers this identity."""
    manager = services.resource_manager()
    yield run_check("sign-in", lambda: f"signed in as {manager.identity()}", SIGN_IN_REMEDY)


def check_settings(rules: Rules, services: Services, path: str) -> list[Finding]:
    """The settings that this part of the rule file names and that are not set."""
    inside = (f"{path}.", f"{path}[")
    here = [one for one in rules.warnings if one.path == path or one.path.startswith(inside)]
    names = dict.fromkeys(one.setting for one in here if one.setting)
    ok = False if services.settings.environment.get(APP_HOST_SETTING) else None
    rest = "" if ok is False else "; the checks that need it were skipped"
    about = path.partition(".")[2]
    return [Finding(about, ok, f"the app setting '{name}' is not set{rest}", UNSET_REMEDY) for name in names]


def check_people_terms(rules: Rules, services: Services) -> Iterator[Finding]:
    """Whether `by` and `not_by` of approvals hold: they need Entra sign-in, which the app itself knows."""
    environment = services.settings.environment
    if environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true":
        return
    is_app = bool(environment.get(APP_HOST_SETTING))
    fact = "is off" if is_app else "cannot be checked from here"
    remedy = "turn on App Service authentication for the app: docs/approvals.md"
    for one in rules.warnings:
        if one.text == NEEDS_SIGN_IN:
            said = f"{one.readable_path} needs Entra sign-in, which {fact}; without it, no approval counts"
            yield Finding(one.readable_path, False if is_app else None, said, remedy)


def check_network(services: Services, workspace: str) -> Iterator[Finding]:
    """What the doctor cannot see of a private workspace: Resource Manager answers from anywhere."""
    if services.machine_learning(workspace).is_private():
        said = (
            "public network access is disabled: doctor cannot see from here whether the app reaches the "
            "workspace's network, its scoring addresses and its batch endpoints"
        )
        remedy = "give the app a subnet or a peering there: docs/deployment.md, 'A private network'"
        yield Finding("network", None, said, remedy)


def check_permissions(rules: Rules, services: Services, resource: str) -> Iterator[Finding]:
    """The permissions that the rules need on this resource and that are not granted."""
    needed = [
        one.actions
        for one in list_required_permissions(rules, services)
        if one.resource.lower() == resource.lower()
    ]
    if not needed:
        return
    grants = services.resource_manager().permissions(resource)
    if grants is None:
        remedy = "assign yourself the role Reader, or Microsoft.Authorization/permissions/read"
        yield Finding("permissions", None, "the permissions cannot be read", remedy)
        return
    actions = needed[0]
    missing = [name for name in actions if not is_allowed(grants, name)]
    for name in missing:
        elements, role = actions[name]
        said = f"is not allowed, but {', '.join(sorted(elements))} needs it"
        remedy = f"assign the role {role} on it to this identity, or a custom role with this action"
        yield Finding(name, False, said, remedy)
    if not missing:
        yield Finding("permissions", True, f"all {len(actions)} that the rules need are granted")


def check_history(services: Services, workspace: str) -> Iterator[Finding]:
    """The permissions to rebuild events, which people need and the app does not, if some are missing."""
    grants = services.resource_manager().permissions(workspace) or ()
    missing = [name for name in HISTORY_ACTIONS if not is_allowed(grants, name)]
    if grants and missing:
        said = f"`explain --model`, `explain --run` and `backtest --workspace` need {', '.join(missing)}"
        yield Finding("history", None, said, f"assign the role {READER} on it to who runs these commands")


def check_subscriptions(rules: Rules, services: Services, workspace: str, app: str) -> Iterator[Finding]:
    """How the event subscriptions of a workspace differ from what the rules need."""
    found = services.resource_manager().event_subscriptions(workspace)
    if found is None:
        remedy = "assign yourself the role Reader on the workspace's subscription"
        yield Finding("event subscriptions", None, "the event subscriptions cannot be read", remedy)
        return
    yield from compare_subscriptions(compile_filters(rules.rules, rules.filters), found, app)
