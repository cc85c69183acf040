"""`filters`: what Event Grid should deliver to each function, for these rules."""

from mlevents.commands.command import RULES, AsJson, RulesFile, command, good_rules, print_json, say
from mlevents.rules.filters import Filter, compile_filters


@command("filters")
def filters(rules: RulesFile = RULES, as_json: AsJson = False) -> None:
    """Compile the rules to one Event Grid subscription filter for each function."""
    compiled = compile_filters(good_rules(rules).rules)
    if as_json:
        print_json({name: found.to_json() for name, found in compiled.items()})
        return
    for name, found in compiled.items():
        _show(name, found)


def _show(name: str, found: Filter) -> None:
    say((name, "bold"), "" if found.types else ": no rule needs it; it wants no subscription")
    document = found.to_json()
    for kind in document["includedEventTypes"]:
        say("  event type: ", kind)
    if found.subject:
        say("  subject begins with: ", found.subject)
    for clause in document["advancedFilters"]:
        values = clause.get("values", [clause["value"]] if "value" in clause else [])
        say(f"  {clause['key']} {clause['operatorType']} ", ", ".join(map(str, values)))
    for one in found.widened:
        say((f"  wider than {one.rule}: {one.path}: {one.reason}", "dim"))
