"""Write a line to the log. This is an example: a name that begins with `_` is not loaded, so rename the file.

do:
  - {uses: write_log, with: {text: "${model.name} was registered"}}
"""

import logging

from mlevents.actions.action import Action, Done, Outcome, StepContext, action
from mlevents.services.services import Services

log = logging.getLogger(__name__)


@action("write_log")
class WriteLog(Action):
    """Write a line to the log."""

    text: str
    """The line."""

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Write it; called again after a crash, it writes the line again, with the same key."""
        log.info("%s: %s", context.key, self.text)
        return Done(f"wrote '{self.text}'")
