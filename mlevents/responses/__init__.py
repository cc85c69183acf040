"""Responses: one event × one rule, completed by a durable orchestration."""
