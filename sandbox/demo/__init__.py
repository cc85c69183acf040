"""The demo: scenes that are played on the sandbox and checked."""
