"""`schema`: the JSON Schema of the rule file and of environment files, for editors."""

from typing import Annotated

import typer

from mlevents.commands.command import RULES, RulesFile, command, load_extensions_or_exit, print_json
from mlevents.commands.rules_argument import RulesArgument, choose_rules
from mlevents.schema.environment_schema import build_environment_schema
from mlevents.schema.file_schema import build_file_schema

OfEnvironments = Annotated[
    bool, typer.Option("--environment", help="The schema of environments/NAME.yaml instead.")
]
AlwaysJson = Annotated[
    bool, typer.Option("--json", show_default=False, help="Print one JSON document, as without it.")
]


@command("schema")
def schema(
    file: RulesArgument = None,
    rules: RulesFile = RULES,
    of_environments: OfEnvironments = False,
    _: AlwaysJson = True,
) -> None:
    """Print the JSON Schema of the rule file, with the extensions beside it."""
    load_extensions_or_exit(choose_rules(file, rules))
    print_json(build_environment_schema() if of_environments else build_file_schema())
