"""Jira Cloud: issues of a project."""
