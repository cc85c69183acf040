"""Jira Cloud's REST API, as far as the app uses it."""
