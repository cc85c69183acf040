"""The type of orchestrator code: a generator that yields durable tasks and gets their results."""

from collections.abc import Generator
from typing import Any

type Durable[T] = Generator[Any, Any, T]
"""Yields tasks of durabletask, which have no common type, and returns a value at the end."""
