"""Commands that operate a running app through its API: each does nothing that the API cannot."""
