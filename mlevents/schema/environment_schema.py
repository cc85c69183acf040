"""The JSON Schema of an environment file, for editors."""

from mlevents.rules.environment_file import EnvironmentSyntax
from mlevents.schema.file_schema import DIALECT, make_model_schema
from mlevents.schema.where_schema import Schema


def build_environment_schema() -> Schema:
    """The schema of `environments/NAME.yaml`, in JSON Schema 2020-12."""
    schema = make_model_schema(EnvironmentSyntax)
    for section in ("workspaces", "connections"):
        schema["properties"][section]["additionalProperties"] = False
    return {"$schema": DIALECT, **schema}
