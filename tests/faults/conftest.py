"""Azure on loopback, as unit tests have it."""

from tests.unit.conftest import cloud, trusted

__all__ = ["cloud", "trusted"]
