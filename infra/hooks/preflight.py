"""Before anything is provisioned: are the rules good, and is Azure ready for them?"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.hooks.host_file import SCHEDULER, choose_backend
from infra.hooks.needs import ArmId, read_needs, read_rules
from infra.hooks.parameters import own_group
from infra.hooks.programs import INFRA, HookError, az, mlevents, say
from infra.hooks.required_settings import check_settings
from infra.hooks.topics import check_identity, find_topic
from mlevents.eventgrid.subscription_filters import compile_filters

PROVIDERS = ("Microsoft.EventGrid", "Microsoft.MachineLearningServices")
NETWORK_PROVIDER = "Microsoft.App"
"""What Flex Consumption needs registered before an app can call out through a network."""
SCHEDULER_PROVIDER = "Microsoft.DurableTask"
TOPIC_TYPE = "Microsoft.MachineLearningServices.Workspaces"
FILTERS = INFRA / "filters.json"
LONGEST_IDS = 57
"""Characters that the ids of a rule and of a step may have together with the Durable Task Scheduler.

The id of an instance may have 100 (learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler),
and that of a step's orchestration after reruns has up to 43 more (mlevents/responses/response_id.py).
"""
PRIVATE = ("endpointSubnetId", "dnsZoneIds", "peerNetworkIds")
"""Parameters of main.bicep that mean nothing without usePrivateNetwork."""


def prepare(environment: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    """Check the rules and their settings, compile their filters, and see that Azure has what they name.

    Raises HookError at the first thing that would fail later, before anything is made.
    """
    check_place(environment)
    check_network(parameters)
    check_rules(environment)
    check_settings(environment, parameters)
    write_filters(environment)
    needs = read_needs(environment)
    keep_apart(own_group(environment, parameters), environment, needs.places)
    if not needs.workspaces:
        raise HookError(
            "the rule file lists no workspaces, so there is nothing to subscribe to: "
            "list your workspaces under `workspaces:`"
        )
    subscriptions = [environment["AZURE_SUBSCRIPTION_ID"], *(one.subscription for one in needs.workspaces)]
    for subscription in dict.fromkeys(subscriptions):
        register_providers(subscription, PROVIDERS)
    register_providers(environment["AZURE_SUBSCRIPTION_ID"], list_own_providers(parameters))
    if choose_backend(parameters) == SCHEDULER:
        name_long_ids(environment)
    for workspace in needs.workspaces:
        az("resource", "show", "--ids", workspace.text)
        check_identity(find_topic(workspace, environment.get("AZURE_FUNCTION_APP_NAME", "")))


def check_place(environment: Mapping[str, str]) -> None:
    """Raise HookError without subscription and region: azd asks for them only after this hook has run."""
    if not (environment.get("AZURE_SUBSCRIPTION_ID") and environment.get("AZURE_LOCATION")):
        raise HookError(
            "the environment has no subscription or no region yet: azd asks for them after this check. "
            "Set both, then repeat the command: "
            '`azd env set AZURE_SUBSCRIPTION_ID "$(az account show --query id -o tsv)"` and '
            "`azd env set AZURE_LOCATION westeurope`"
        )


def check_network(parameters: Mapping[str, Any]) -> None:
    """Raise HookError when the parameters of a private network do not fit together."""
    app, endpoint = parameters.get("appSubnetId"), parameters.get("endpointSubnetId")
    if not parameters.get("usePrivateNetwork"):
        unused = [name for name in PRIVATE if parameters.get(name)]
        if unused:
            raise HookError(
                f"{', '.join(unused)} is set, but usePrivateNetwork is not: "
                "set `azd env set MLEVENTS_USE_PRIVATE_NETWORK true`, or leave it out"
            )
    elif bool(app) != bool(endpoint):
        raise HookError(
            f"only {'appSubnetId' if app else 'endpointSubnetId'} is set: "
            "an existing network needs both subnets, a new one needs neither"
        )
    elif app and parameters.get("peerNetworkIds"):
        raise HookError(
            "peerNetworkIds is for a new network: peer the existing one yourself, or leave it out"
        )


def list_own_providers(parameters: Mapping[str, Any]) -> Iterator[str]:
    """The resource providers that only some installations need."""
    if parameters.get("usePrivateNetwork") or parameters.get("appSubnetId"):
        yield NETWORK_PROVIDER
    if choose_backend(parameters) == SCHEDULER:
        yield SCHEDULER_PROVIDER


def name_long_ids(environment: Mapping[str, str]) -> None:
    """Name each step whose orchestration the scheduler may refuse, because its id is too long."""
    for rule in read_rules(environment).rules:
        for step in rule.steps:
            if len(rule.id) + len(step.id) > LONGEST_IDS:
                say(
                    f"mlevents: the ids '{rule.id}' and '{step.id}' have more than {LONGEST_IDS} characters "
                    "together: the Durable Task Scheduler may refuse the step's orchestration; shorten one"
                )


def keep_apart(group: str, environment: Mapping[str, str], places: Iterable[ArmId]) -> None:
    """Raise HookError when a workspace or factory is in our resource group: it is deleted whole."""
    own = f"/subscriptions/{environment.get('AZURE_SUBSCRIPTION_ID', '')}/resourceGroups/{group}".casefold()
    inside = [one.text for one in places if one.group_id.casefold() == own]
    if inside:
        raise HookError(
            f"the resource group '{group}' must hold mlevents alone, because it is deleted with its content; "
            f"but it also contains {', '.join(inside)}: install mlevents into its own group (another "
            "environment name, or the parameter resourceGroupName); before a removal, move that resource"
        )


def check_rules(environment: Mapping[str, str]) -> None:
    """Raise HookError when the rule file has problems; they are printed."""
    if mlevents("check", environment=environment).returncode != 0:
        raise HookError("the rules have problems (see above): nothing was deployed")


def write_filters(environment: Mapping[str, str]) -> None:
    """Write the filters that the rules compile to; `subscribe` hands them to events.bicep."""
    rules = read_rules(environment)
    compiled = compile_filters(rules.rules, rules.filters)
    _write({name: one.to_json() for name, one in compiled.items()})
    say(f"mlevents: subscribes to events for {', '.join(wanted_functions()) or 'no function'}")


def leave_out_unknown_types() -> None:
    """Ask for no event type that Azure does not (any longer) list: a subscription to one may be refused."""
    listed = az("eventgrid", "topic-type", "list-event-types", "--name", TOPIC_TYPE)
    known = {one["name"].split(".")[-1].casefold() for one in listed or ()}
    compiled = read_filters()
    for function, found in compiled.items():
        if found["includedEventTypes"] and known and function.casefold() not in known:
            say(f"mlevents: Event Grid lists no {function} events of workspaces, so they are not subscribed")
            found["includedEventTypes"] = []
    _write(compiled)


def read_filters() -> dict[str, Any]:
    """The filters as they were written, by function."""
    found: dict[str, Any] = json.loads(FILTERS.read_text(encoding="utf-8"))
    return found


def wanted_functions() -> list[str]:
    """The functions that a rule needs: those with an event type in their filter."""
    return [name for name, found in read_filters().items() if found["includedEventTypes"]]


def register_providers(subscription: str, providers: Iterable[str]) -> None:
    """Register resource providers where they are not: a subscription to events fails without."""
    for provider in providers:
        place = ("--namespace", provider, "--subscription", subscription)
        if az("provider", "show", *place)["registrationState"] != "Registered":
            say(f"mlevents: registers {provider} in {subscription}")
            az("provider", "register", *place, "--wait")


def _write(compiled: Mapping[str, Any]) -> None:
    FILTERS.write_text(json.dumps(compiled, indent=2), encoding="utf-8")
