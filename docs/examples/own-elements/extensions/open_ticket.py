"""Open a ticket.

do:
  - {uses: open_ticket, with: {to: tickets, title: "Review ${model.name}"}}
"""

from typing import Annotated

from mlevents.actions.action import Action, ConnectionName, Done, Outcome, StepContext, action
from mlevents.services.services import Services

from .ticket_system import TicketSystem


@action("open_ticket")
class OpenTicket(Action):
    """Open a ticket."""

    to: Annotated[str, ConnectionName(("ticket_system",))]
    """name a ticket system."""
    title: str
    """The title of the ticket."""

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Open it once, however often this is called."""
        system = services.connection(self.to)
        assert isinstance(system, TicketSystem)
        number = system.open_ticket(self.title, context.key, services)
        return Done(f"opened ticket {number}", {"number": number})
