"""The rule language: loading, matching, explaining."""
