"""The JSON Schema of the rule file, for editors."""
