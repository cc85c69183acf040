"""Recorded histories of every orchestrator, in the form that the Durable extension gives them."""
