"""What to try first with a rule file: printed when its sandbox is up."""

from collections.abc import Sequence
from pathlib import Path

from mlevents.commands.command import print_line, read_settings
from mlevents.errors import MleventsError
from mlevents.rule_tests.runner import RuleTestRunner
from mlevents.rule_tests.things_to_try import ThingToTry, list_things_to_try
from mlevents.rules.file import load_rules

NOTHING_TO_TRY = "Add a test to the rule file, and its event is proposed here:"
EXAMPLE_TEST = """\
tests:
  - name: a released model is deployed
    given: {model.registered: {model: {name: churn-x, tags: {release: "yes"}}}}
    expect: the-id-of-a-rule"""


def read_things_to_try(rules: Path, env: str = "", options: Sequence[str] = ()) -> list[ThingToTry]:
    """At most three commands that each fire a rule of the file; none if the file cannot be loaded."""
    tests = RuleTestRunner()
    try:
        loaded = load_rules(rules, read_settings(rules, env), require_settings=False, tests=tests)
    except MleventsError:
        return []
    return list_things_to_try(loaded, tests.tests, options)


def print_things_to_try(rules: Path, env: str = "", options: Sequence[str] = ()) -> None:
    """Print the commands to paste, each with its rule, or how a test is written."""
    things = read_things_to_try(rules, env, options)
    if not things:
        print_line(NOTHING_TO_TRY)
        for line in EXAMPLE_TEST.splitlines():
            print_line("  ", (line, "dim"))
        return
    print_line("Try it in another terminal:")
    for number, one in enumerate(things, 1):
        print_line(f"{number}. ", (one.rule, "bold"))
        print_line("   ", one.command_line)
