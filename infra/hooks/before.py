"""Before anything is provisioned: are the rules good, and is Azure ready for them?"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from infra.hooks.needs import ArmId, read_needs
from infra.hooks.parameters import own_group
from infra.hooks.programs import INFRA, HookError, az, mlevents, needed, say
from infra.hooks.supplied import check_settings
from infra.hooks.topics import check_identity, find_topic

PROVIDERS = ("Microsoft.EventGrid", "Microsoft.MachineLearningServices")
TOPIC_TYPE = "Microsoft.MachineLearningServices.Workspaces"
FILTERS = INFRA / "filters.json"


def prepare(environment: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    """Check the rules and their settings, compile their filters, and see that Azure has what they name.

    Raises HookError at the first thing that would fail later, before anything is made.
    """
    needed(environment, "AZURE_SUBSCRIPTION_ID")
    check_rules(environment)
    check_settings(environment, parameters)
    write_filters(environment)
    needs = read_needs(environment)
    keep_apart(own_group(environment, parameters), environment, needs.places)
    if not needs.workspaces:
        raise HookError(
            "the rule file lists no workspaces, so there is nothing to subscribe to: "
            "list yours under `workspaces:`"
        )
    subscriptions = [environment["AZURE_SUBSCRIPTION_ID"], *(one.subscription for one in needs.workspaces)]
    for subscription in dict.fromkeys(subscriptions):
        register_providers(subscription)
    for workspace in needs.workspaces:
        az("resource", "show", "--ids", workspace.text)
        check_identity(find_topic(workspace, environment.get("AZURE_FUNCTION_APP_NAME", "")))


def keep_apart(group: str, environment: Mapping[str, str], places: Iterable[ArmId]) -> None:
    """Raise HookError when a workspace or factory is in our resource group: it is deleted whole."""
    own = f"/subscriptions/{environment.get('AZURE_SUBSCRIPTION_ID', '')}/resourceGroups/{group}".casefold()
    inside = [one.text for one in places if one.group_id.casefold() == own]
    if inside:
        raise HookError(
            f"the resource group '{group}' is to hold mlevents alone, and is deleted with all that is in it; "
            f"but there is also {', '.join(inside)}: install mlevents into a group of its own (another "
            "environment name, or the parameter resourceGroupName); to take it away, move that resource first"
        )


def check_rules(environment: Mapping[str, str]) -> None:
    """Raise HookError when the rule file has problems; they are printed."""
    if mlevents("check", environment=environment).returncode != 0:
        raise HookError("the rules have problems (see above): nothing was deployed")


def write_filters(environment: Mapping[str, str]) -> None:
    """Write the filters that the rules compile to where events.bicep reads them."""
    done = mlevents("filters", "--json", environment=environment, keep=True)
    if done.returncode != 0:
        raise HookError("the rules cannot be compiled to filters (see above)")
    FILTERS.write_text(done.stdout, encoding="utf-8")
    say(f"mlevents: subscribes to events for {', '.join(wanted_functions()) or 'no function'}")


def leave_out_unknown_types() -> None:
    """Ask for no event type that Azure does not (any longer) list: a subscription to one may be refused."""
    listed = az("eventgrid", "topic-type", "list-event-types", "--name", TOPIC_TYPE)
    known = {one["name"].split(".")[-1].casefold() for one in listed or ()}
    compiled: dict[str, Any] = json.loads(FILTERS.read_text(encoding="utf-8"))
    for function, found in compiled.items():
        if found["includedEventTypes"] and known and function.casefold() not in known:
            say(f"mlevents: Event Grid knows no {function} events of workspaces, so none are subscribed to")
            found["includedEventTypes"] = []
    FILTERS.write_text(json.dumps(compiled, indent=2), encoding="utf-8")


def wanted_functions() -> list[str]:
    """The functions that a rule needs: those with an event type in their filter."""
    compiled: dict[str, Any] = json.loads(FILTERS.read_text(encoding="utf-8"))
    return [name for name, found in compiled.items() if found["includedEventTypes"]]


def register_providers(subscription: str) -> None:
    """Register the resource providers, where they are not: a subscription to events fails without."""
    for provider in PROVIDERS:
        place = ("--namespace", provider, "--subscription", subscription)
        if az("provider", "show", *place)["registrationState"] != "Registered":
            say(f"mlevents: registers {provider} in {subscription}")
            az("provider", "register", *place, "--wait")
