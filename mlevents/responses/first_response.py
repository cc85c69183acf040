"""What the first response by some rules will need, so that it can be loaded before."""

from mlevents.rules.model import Rules
from mlevents.rules.needs import list_distinct_steps
from mlevents.services.arm_client import ArmClient
from mlevents.settings import Settings


def list_step_orchestrators(rules: Rules) -> list[str]:
    """The names of the orchestrators that perform steps of these rules."""
    found = (step.action.orchestration for step in list_distinct_steps(rules))
    return sorted({one.name for one in found if one})


def open_azure(rules: Rules, settings: Settings) -> None:
    """Import the SDK and make the app's identity, if a step needs a right in Azure; sends nothing."""
    if any(step.action.permissions for step in list_distinct_steps(rules)):
        ArmClient(settings.resource_manager).open()
