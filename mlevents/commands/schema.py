"""`schema`: the JSON Schema of the rule file and of environment files, for editors."""

from typing import Annotated

import typer

from mlevents.commands.command import (
    RULES,
    RulesFile,
    command,
    exit_with_error,
    load_extensions_or_exit,
    print_json,
    print_line,
    write_json,
)
from mlevents.commands.rules_argument import RulesArgument, choose_rules
from mlevents.rules.rule_folder import find_project
from mlevents.schema.environment_schema import build_environment_schema
from mlevents.schema.file_schema import build_file_schema

BUILDERS = {"rules.schema.json": build_file_schema, "environment.schema.json": build_environment_schema}
"""The files that the first lines of rules and environments name."""

OfEnvironments = Annotated[
    bool, typer.Option("--environment", help="The schema of environments/NAME.yaml instead.")
]
WriteFiles = Annotated[
    bool, typer.Option("--write", help=f"Write {' and '.join(BUILDERS)} beside the rules instead.")
]
AlwaysJson = Annotated[
    bool, typer.Option("--json", show_default=False, help="Print one JSON document, as without it.")
]


@command("schema")
def schema(
    file: RulesArgument = None,
    rules: RulesFile = RULES,
    of_environments: OfEnvironments = False,
    write: WriteFiles = False,
    as_json: AlwaysJson = False,
) -> None:
    """Print the JSON Schema of the rule file, with the extensions beside it."""
    rules = choose_rules(file, rules)
    load_extensions_or_exit(rules)
    if not write:
        print_json(build_environment_schema() if of_environments else build_file_schema())
        return
    folder = find_project(rules)
    try:
        for name, content in make_schema_files().items():
            (folder / name).write_bytes(content)
    except OSError as error:
        exit_with_error(f"{error.filename or folder}: cannot be written: {error.strerror}")
    if as_json:
        print_json({"folder": str(folder), "files": list(BUILDERS)})
    else:
        print_line((f"{folder}: {' and '.join(BUILDERS)} are written", "bold green"))


def make_schema_files() -> dict[str, bytes]:
    """The content of each schema file by its name, as `schema` prints it."""
    return {name: f"{write_json(build())}\n".encode() for name, build in BUILDERS.items()}
