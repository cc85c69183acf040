"""`filters`: what Event Grid should deliver to each function, for these rules."""

from mlevents.commands.command import (
    RULES,
    AsJson,
    EnvironmentName,
    RulesFile,
    command,
    load_rules_or_exit,
    print_json,
    print_line,
)
from mlevents.commands.rules_argument import RulesArgument, choose_rules
from mlevents.eventgrid.subscription_filters import SubscriptionFilter, compile_filters
from mlevents.events.model_tagged import ModelTagged
from mlevents.rules.tag_scope import asks_for_tags

RISK = (
    "it is not verified whether Azure compares keys inside `data` with case, so a filter may drop an event "
    "that a rule matches: `filters: safe` never does"
)


@command("filters")
def filters(
    file: RulesArgument = None,
    rules: RulesFile = RULES,
    env: EnvironmentName = "",
    as_json: AsJson = False,
) -> None:
    """Compile the rules to one Event Grid subscription filter for each function."""
    loaded = load_rules_or_exit(choose_rules(file, rules), env)
    compiled = compile_filters(loaded.rules, loaded.filters)
    if as_json:
        print_json({name: found.to_json() for name, found in compiled.items()})
        return
    for name, found in compiled.items():
        _show(name, found)
    for rule in filter(asks_for_tags, loaded.rules):
        print_line(
            (f"{ModelTagged.kind}: ", "bold"), f"for {rule.id} a timer of the app compares tags; no filter"
        )
    if loaded.filters == "narrow":
        print_line(("narrow: ", "yellow"), RISK)


def _show(name: str, found: SubscriptionFilter) -> None:
    print_line((name, "bold"), "" if found.types else ": no rule needs it; do not subscribe it")
    document = found.to_json()
    for kind in document["includedEventTypes"]:
        print_line("  event type: ", kind)
    if found.subject:
        print_line("  subject begins with: ", found.subject)
    for clause in document["advancedFilters"]:
        values = clause.get("values", [clause["value"]] if "value" in clause else [])
        print_line(f"  {clause['key']} {clause['operatorType']} ", ", ".join(map(str, values)))
    for one in found.widened:
        print_line((f"  the app checks {one.path} of {one.rule}, Event Grid does not: {one.reason}", "dim"))
