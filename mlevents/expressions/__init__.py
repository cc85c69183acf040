"""Expressions of rules: `${…}`, a small part of Jinja2 in a sandbox."""
