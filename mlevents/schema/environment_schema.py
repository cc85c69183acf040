"""The JSON Schema of an environment file, for editors."""

from mlevents.rules.environment_file import SETTING_NAME_PATTERN, EnvironmentSyntax
from mlevents.rules.vocabulary import VOCABULARY, Vocabulary
from mlevents.schema.element_schema import build_connection_schemas
from mlevents.schema.file_schema import name_members
from mlevents.schema.model_schema import Schema, complete_schema, make_model_schema, refer_to


def build_environment_schema(vocabulary: Vocabulary = VOCABULARY) -> Schema:
    """The schema of `environments/NAME.yaml`, in JSON Schema 2020-12."""
    schema = make_model_schema(EnvironmentSyntax)
    definitions = schema.pop("$defs", {}) | build_connection_schemas(vocabulary.connections.items())
    sections = {"workspaces": {"type": "string"}, "connections": refer_to("connection change")}
    for section, member in sections.items():
        about = schema["properties"][section]["description"]
        schema["properties"][section] = {**name_members(member), "description": about}
    schema["properties"]["settings"]["propertyNames"] = {"pattern": SETTING_NAME_PATTERN}
    return complete_schema(schema, definitions)
