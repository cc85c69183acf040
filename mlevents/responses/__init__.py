"""Responses: one event × one rule, carried through by a durable orchestration."""
