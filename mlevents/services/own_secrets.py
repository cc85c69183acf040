"""The values of this app's secrets, so that they can be removed from any text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6
"""Characters: a shorter value may be an ordinary word or number."""
SHORTEST_PART = 12
SECRET_NAME = re.compile(
    r"^AzureWebJobsStorage$|^IDENTITY_HEADER$|^MSI_SECRET$|SECRET|PASSWORD|PASSWD|TOKEN$|CREDENTIAL$"
    r"|(?:^|_)(?:API|ACCESS|ACCOUNT|AUTH|ENCRYPTION|SIGNING|MASTER|PRIVATE|MACHINE\w*)_?KEY$|_KEY$|_PAT$|_SAS$"
    r"|CONNECTION_?STRING|^CONTAINER_ENCRYPTION_KEY$|WEBHOOK_URL$",
    re.IGNORECASE,
)
"""Names of settings that hold a secret, of mlevents, the operator or the platform."""
PUBLIC = re.compile(
    r"[\d.,:]+|true|false|none|tls|starttls"
    r"|https?://[a-z0-9.-]+(?::\d+)?/?|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?::\d+)?"
    r"|[^@\s,;:/]+@[^@\s,;:/]+(?:\s*,\s*[^@\s,;:/]+@[^@\s,;:/]+)*"
    r"|UseDevelopmentStorage=true|ManagedIdentityCredential|@Microsoft\.KeyVault\(.*\)",
    re.IGNORECASE,
)
"""Values of settings that are not secrets: numbers, words, hosts, URLs without a path, mail addresses."""

PAIR = re.compile(r"key|secret|password|pwd|signature|token", re.IGNORECASE)

_known: dict[str, None] = {}


def remember_secrets(environment: Mapping[str, str], in_use: Iterable[str] = ()) -> None:
    """Remember the secrets in the app settings; `in_use` are the settings that rules name."""
    named = set(in_use)
    for name, value in environment.items():
        if name in named or SECRET_NAME.search(name):
            for form in _forms(value):
                _known[form] = None


def known_secrets() -> list[str]:
    """Every form of every known secret, the longest first, so that none hides a part of another."""
    return sorted(_known, key=len, reverse=True)


def _forms(value: str) -> Iterable[str]:
    """The value as it is, in a URL and in JSON; also the secret parts of a URL or a list of pairs."""
    value = value.strip()
    if len(value) < SHORTEST_SECRET or PUBLIC.fullmatch(value):
        return
    yield from _spelled(value)
    for part in _parts(value):
        if len(part) >= SHORTEST_PART and not PUBLIC.fullmatch(part):
            yield from _spelled(part)


def _parts(value: str) -> Iterable[str]:
    if "://" not in value.partition(";")[0]:
        pairs = (pair.partition("=") for pair in value.split(";"))
        return [text for name, _, text in pairs if PAIR.search(name)]
    address = value.partition("://")[2]
    return [part.partition("=")[2] or part for part in re.split(r"[/?&#@:]", address)]


def _spelled(text: str) -> set[str]:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return {text, quote(text, safe=""), quote_plus(text), quote(text), escaped}
