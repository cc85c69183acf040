"""What a gate is that looks at Azure: its parameters, and an objection to acting, if it has one.

Such gates look before a response's steps, and again when a deployment has its endpoint's lease.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from mlevents.registry import Registry

Served = Mapping[str, Any]
"""A deployment with traffic: `deployment`, `percent`, `model`, `version`, the model's `tags`, and `key`
and `by` as the gate `order` left them, else the model's name and version."""


class Gate(BaseModel, ABC):
    """One gate of a rule; its fields are what stands under its name, `${…}` filled in when it looks."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    @property
    def paths(self) -> set[tuple[str | int, ...]]:
        """Which of the event's names `objection` reads."""
        return set()

    @abstractmethod
    def objection(self, names: Mapping[str, Any], /, serving: Sequence[Served]) -> str | None:
        """Why this event must not be acted on, or None; pure. The deployment with most traffic is first."""


gate = Registry[type[Gate]]("gate", "mlevents.gates")
