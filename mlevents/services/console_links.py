"""Links to the pages of the app's console."""

from urllib.parse import quote

from mlevents.settings import Settings

CONSOLE = "/api/console"
"""Where the console is, below the address of the app."""


def make_response_link(settings: Settings, response: str) -> str:
    """The page of a response; raises ConfigError when the address of the app is unknown."""
    return f"{settings.find_address()}{CONSOLE}/responses/{quote(response, safe='', errors='replace')}"
