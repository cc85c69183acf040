"""A ticket system with an HTTP interface.

connections:
  tickets: {type: ticket_system, url: {setting: TICKETS_URL}}
"""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mlevents.errors import PermanentError, TransientError
from mlevents.services.connection import Connection, SettingSource, Text, connection


@connection("ticket_system")
class TicketSystem(Connection):
    """A ticket system with an HTTP interface."""

    url: Text
    """give the address that takes tickets."""

    def open_ticket(self, title: str, key: str, services: SettingSource) -> str:
        """Open a ticket, and return its number; the same key never opens a second one."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        body = json.dumps({"title": title}).encode()
        try:
            with urlopen(Request(services.text(self.url), body, headers), timeout=30) as answer:
                return str(json.load(answer)["number"])
        except HTTPError as error:
            kind = TransientError if error.code in (408, 429, 500, 502, 503, 504) else PermanentError
            raise kind(f"the ticket system answered {error.code}") from error
        except OSError as error:
            raise TransientError(f"the ticket system cannot be reached: {error}") from error
