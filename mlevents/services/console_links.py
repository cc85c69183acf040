"""Links to the pages of the app's console."""

from urllib.parse import quote

from mlevents.errors import ConfigError
from mlevents.settings import Settings

CONSOLE = "/api/console"
"""Where the console is, below the address of the app."""


def make_response_link(settings: Settings, response: str) -> str:
    """The page of a response; raises ConfigError when the address of the app is unknown."""
    return f"{settings.find_address()}{CONSOLE}/responses/{quote(response, safe='', errors='replace')}"


def list_console_links(settings: Settings) -> tuple[str, ...]:
    """The beginnings of the console's addresses in messages; none when the address of the app is unknown."""
    try:
        return (f"{settings.find_address()}{CONSOLE}/responses/",)
    except ConfigError:
        return ()
