"""What a preflight check of an action gets."""

from collections.abc import Callable
from dataclasses import dataclass

from mlevents.services.services import Services


@dataclass(frozen=True, slots=True)
class Preflight:
    """The input of a preflight check, before any event; `workspaces` are the ARM ids where the step may run.

    `read` gives the text of a file next to the rule file. `quota` includes quotas.
    """

    services: Services
    workspaces: tuple[str, ...]
    read: Callable[[str], str]
    quota: bool = False
