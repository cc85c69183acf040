"""Tests of rules: those of a rule file, and events of the past."""
