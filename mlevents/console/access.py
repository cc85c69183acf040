"""Who may see the console and act in it.

Three ways lead in. Entra: App Service authentication is on, and its proxy puts the principal into a header
that it removes from requests of others. A function key: the page fetches its content from a function that the
host guards. A developer's machine: the host asks for no key there.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

PRINCIPAL = "x-ms-client-principal-name"


def is_open(headers: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether content is shown without a key: to a signed-in person, or on a developer's machine."""
    if has_sign_in(environment):
        return bool(headers.get(PRINCIPAL))
    return environment.get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development"


def has_sign_in(environment: Mapping[str, str]) -> bool:
    """Whether App Service authentication is on: the platform sets this variable."""
    return environment.get("WEBSITE_AUTH_ENABLED", "").casefold() == "true"


def is_same_origin(headers: Mapping[str, str], host: str) -> bool:
    """Whether a form was sent from our own page, and not from another site.

    Browsers say it in Sec-Fetch-Site, older ones with Origin. A program sends neither, and has no cookie that
    another site could use.
    """
    site = headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == host
