"""`doctor`: ask Azure whether everything is there, and allowed, that the rules need."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from typing import Annotated, Any

import typer

from mlevents.actions.permissions import permissions
from mlevents.commands.command import (
    EXIT_PROBLEMS,
    RULES,
    AsJson,
    EnvironmentName,
    RulesFile,
    command,
    exit_with_error,
    load_rules_or_exit,
    print_json,
    print_line,
    read_settings,
)
from mlevents.commands.connection_trials import send_tests
from mlevents.commands.operator.app_options import AppName, AppOptions, Subscription, Url
from mlevents.commands.progress_bar import track_items
from mlevents.commands.rules_argument import RulesArgument, choose_rules
from mlevents.doctor.azure_checks import Doctor, PartFinding
from mlevents.eventgrid.subscription_diff import make_label
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.rules.model import Rules
from mlevents.rules.needs import find_owners, list_required_permissions
from mlevents.services.services import Services
from mlevents.settings import Settings

FINDING_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
SITE = "/providers/microsoft.web/sites/"

FunctionAppId = Annotated[
    str,
    typer.Option(
        envvar="MLEVENTS_FUNCTION_APP_ID",
        help="The Function App's resource id, where several are subscribed to a workspace.",
    ),
]
CheckQuota = Annotated[bool, typer.Option("--quota", help="Also compare the templates with the quota.")]
SendTest = Annotated[
    list[str],
    typer.Option(
        "--send-test",
        metavar="CONNECTION",
        show_default=False,
        help="Only send a test message through this connection, to everyone who receives its messages. "
        "Repeat it for others.",
    ),
]
OnlyNeeds = Annotated[
    bool, typer.Option("--needs", help="List the required permissions, without calling Azure.")
]


@command("doctor")
def doctor(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    file: RulesArgument = None,
    rules: RulesFile = RULES,
    env: EnvironmentName = "",
    function_app: FunctionAppId = "",
    quota: CheckQuota = False,
    needs: OnlyNeeds = False,
    send_test: SendTest = [],  # noqa: B006 - typer makes a list of each call
    url: Url = "",
    app: AppName = "",
    subscription: Subscription = "",
    as_json: AsJson = False,
) -> None:
    """Check that everything that the rules need exists in Azure and is allowed; change nothing.

    With --send-test, send test messages instead: from this computer, or from the app of --app or --url.
    """
    rules = choose_rules(file, rules)
    if send_test or url or app:
        if needs or quota:
            exit_with_error("--send-test checks nothing else: leave out --needs and --quota")
        return _report(send_tests(send_test, AppOptions(url, app, subscription), rules, env), as_json)
    if function_app and SITE not in function_app.lower():
        exit_with_error(
            f"'{function_app}' is not a Function App: give its resource id, /subscriptions/…{SITE}<name>"
        )
    loaded = load_rules_or_exit(rules, env)
    settings = read_settings(rules, env)
    if needs:
        return _show_needs(_needs(loaded, settings), as_json)
    checks = Doctor(loaded, settings, function_app.rstrip("/"), quota)
    parts = checks.count_parts()
    found = track_items(checks.findings(), "checking Azure", parts, few=0, group=lambda one: one.part)
    return _report(found, as_json)


def _report(found: Iterable[PartFinding], as_json: bool) -> None:
    """Print the findings; exits with 1 if one of them is false."""
    told = _as_json(list(found)) if as_json else _show(found)
    if as_json:
        print_json(told)
    if not told["ok"]:
        raise typer.Exit(EXIT_PROBLEMS)


def _as_json(found: list[PartFinding]) -> dict[str, Any]:
    findings = [one.to_json() for one in found]
    return {"ok": all(one["ok"] is not False for one in findings), "findings": findings}


def _show(found: Iterable[PartFinding]) -> dict[str, Any]:
    """Print each finding as it comes, below the part that it belongs to, and count them."""
    counts: dict[bool | None, int] = dict.fromkeys(FINDING_MARKS, 0)
    for part, group in groupby(found, key=lambda one: one.part):
        print_line((part, "bold"))
        for one in group:
            finding = one.finding
            counts[finding.ok] += 1
            print_line("  ", FINDING_MARKS[finding.ok], f" {finding.about}: {finding.said}")
            if finding.remedy and not finding.ok:
                print_line(("      → ", "dim"), (finding.remedy, "dim"))
    total = f"{counts[True]} ok, {counts[False]} failed, {counts[None]} not checked"
    print_line((total, "bold red" if counts[False] else "bold green"))
    return {"ok": not counts[False]}


def _needs(rules: Rules, settings: Settings) -> dict[str, Any]:
    """What every element must be allowed, what these rules must be allowed where, and the filters' labels."""
    elements = [
        {
            "element": need.element,
            "scope": need.permission.scope,
            "given": list(need.permission.given),
            "role": asdict(need.permission.role),
            "actions": list(need.permission.actions),
            "rules": find_owners(rules, need),
        }
        for need in permissions()
    ]
    resources = [
        {"scope": one.scope, "resource": one.resource, "actions": sorted(one.actions)}
        for one in list_required_permissions(rules, Services(settings, rules.connections))
    ]
    wanted = compile_filters(rules.rules, rules.filters).items()
    labels = {name: make_label(filter_.to_json()) for name, filter_ in wanted if filter_.types}
    return {"elements": elements, "resources": resources, "labels": labels}


def _show_needs(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    for one in document["resources"]:
        print_line((f"{one['scope']} {one['resource']}", "bold"))
        for name in one["actions"]:
            print_line(f"  {name}")
    for one in document["elements"]:
        where = f" with {' or '.join(one['given'])}" if one["given"] else ""
        print_line((f"{one['element']}{where}", "bold"), f" on its {one['scope']}: {one['role']['name']}")
        print_line((f"  needed by {', '.join(one['rules']) or 'no rule'}", "dim"))
