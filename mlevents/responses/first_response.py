"""What the first response by some rules will need, so that it can be loaded before."""

from collections.abc import Iterable

from mlevents.actions.action import Action, action
from mlevents.rules.model import Rules
from mlevents.services.arm_client import ArmClient
from mlevents.settings import Settings


def list_actions(rules: Rules) -> list[type[Action]]:
    """The actions of the defaults, and of all rules that are not disabled."""
    active = (rule for rule in rules.rules if rule.mode != "disabled")
    used = {step.uses for rule in active for step in (*rule.steps, *rule.on_failure)}
    used |= {step.uses for step in rules.defaults.on_failure}
    return [action.find(name) for name in sorted(used)]


def list_step_orchestrators(actions: Iterable[type[Action]]) -> list[str]:
    """The names of the orchestrators that perform steps with these actions."""
    return sorted({one.orchestration.name for one in actions if one.orchestration})


def open_azure(actions: Iterable[type[Action]], settings: Settings) -> None:
    """Import the SDK and make the app's identity, if an action needs a right in Azure; sends nothing."""
    if any(one.permissions for one in actions):
        ArmClient(settings.resource_manager).open()
