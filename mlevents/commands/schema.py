"""`schema`: the JSON Schema of the rule file, for editors."""

from mlevents.commands.command import command, print_json
from mlevents.schema.file_schema import build_file_schema


@command("schema")
def schema() -> None:
    """Print the JSON Schema of the rule file; rules.schema.json contains it."""
    print_json(build_file_schema())
