"""Chat and paging by apprise: Teams, Slack, PagerDuty and a hundred more.

```yaml
connections:
  mlops-teams:
    type: apprise
    url: {setting: TEAMS_WORKFLOW_URL}      # such a URL is a secret: keep it in a setting
```

Only the schema of the URL is ever shown. Teams gets an Adaptive Card, Slack gets blocks, PagerDuty and
Opsgenie get an incident, all others plain text. In chats, no value can add markup, a mention or a link.
mlevents refuses a service that it does not know, because it may treat text as markup; `unsafe_text: true`
accepts it.
Webhooks (`json://`, `xml://`, `form://`) carry the message's key in the header `Idempotency-Key`,
PagerDuty and Opsgenie in the incident's key. A chat may get a message twice when its answer was lost.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field

from mlevents.errors import PermanentError, TransientError
from mlevents.services.chat.adaptive_card import prepare_card
from mlevents.services.chat.chat_services import KNOWN_SERVICES, NATIVE_ADDRESS, PLAIN_TEXT_SERVICES
from mlevents.services.chat.chat_text import neutralize_text
from mlevents.services.chat.incidents import prepare_opsgenie, prepare_pagerduty
from mlevents.services.chat.refusal import PRIVATE, describe_rejection, keep_only_status
from mlevents.services.chat.slack_blocks import prepare_blocks
from mlevents.services.connection import Connection, Message, SettingName, SettingSource, Text, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.lazy_import import import_lock
from mlevents.services.private_addresses import refuse_private_addresses
from mlevents.services.sdk_errors import PARSE_ERRORS

SCHEMA = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\S")
WEBHOOKS = frozenset(("json", "jsons", "xml", "xmls", "form", "forms"))
"""Services that pass on our headers: `Idempotency-Key` holds the message's key."""
_ASSET = {
    "app_id": "mlevents",
    "app_desc": "mlevents",
    "async_mode": False,
    "secure_logging": True,
    "http_redirects": False,
}
PREPARATIONS: Mapping[str, Callable[[Any, Message], tuple[str, str]]] = {
    "workflows": prepare_card,
    "slack": prepare_blocks,
    "pagerduty": prepare_pagerduty,
    "opsgenie": prepare_opsgenie,
}
"""What makes a plug-in send more than plain text: it returns the title and text for the plug-in."""


def _literal(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str) and not SCHEMA.match(value):
        raise ValueError("this is not a URL: begin it with a schema, such as msteams:// or slack://")
    return value


@connection("apprise")
class Apprise(Connection):
    """One service that apprise can send to."""

    model_config = ConfigDict(hide_input_in_errors=True)
    synonyms: ClassVar[tuple[str, ...]] = (
        *("slack", "teams", "msteams", "discord", "telegram", "pagerduty", "opsgenie", "mattermost"),
        *("rocketchat", "googlechat", "webex", "chat", "webhook"),
    )
    example: ClassVar[str] = "`{type: apprise, url: {setting: NAME}}`"

    url: Annotated[Text, AfterValidator(_literal), Field(repr=False)]
    """write an apprise URL, as `{setting: NAME}` because it is a secret."""
    unsafe_text: bool = False
    """Accepts a service for which it is not known whether it treats text as markup."""

    def send(self, message: Message, services: SettingSource) -> str:
        """Send in the service's own form; a value from an event cannot add markup, a mention or a link."""
        apprise = _apprise()
        asset = apprise.AppriseAsset(**_ASSET)
        place, schema = self._place(services, asset)
        title, body = self._prepare(place, message)
        sender = apprise.Apprise(asset=asset)
        sender.add(place)
        allowed = bool({"*", str(place.host or "").lower()} & services.settings.private_hosts)
        try:
            with refuse_private_addresses(allowed) as guard:
                result = sender.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        except (*PARSE_ERRORS, OSError) as error:
            raise TransientError(
                f"{place.service_name} ({schema}): apprise cannot read the answer: {type(error).__name__}"
            ) from None  # its text may hold the URL
        if guard.refused:
            raise PermanentError(f"{place.service_name} ({schema}): {PRIVATE.format(guard.refused)}")
        if not result:
            where = self._setting().removeprefix(", in ") or "`url` of this connection"
            reason = describe_rejection(result, where)
            raise TransientError(f"{place.service_name} ({schema}) did not accept the message{reason}")
        return schema.removesuffix("://")

    def find_fault(self, environment: Mapping[str, str], unsafe: bool = False) -> str | None:
        """Why text must not be sent there, as far as the rules show; None when a setting is missing."""
        url = self.url if isinstance(self.url, str) else environment.get(self.url.setting)
        schema = _schema(url or "").removesuffix("://")
        if not url or not SCHEMA.match(url) or unsafe or self.unsafe_text:
            return None
        if schema in KNOWN_SERVICES or NATIVE_ADDRESS.match(url):
            return None
        place = _apprise().Apprise.instantiate(url) if schema in ("http", "https") else None
        if place is None and schema not in _apprise().manager_plugins.NotificationManager().schemas():
            return None  # apprise does not know the service: nothing is sent there, and `doctor` reports it
        return None if place is not None and _schemas(place) & KNOWN_SERVICES else _unknown(schema)

    def _prepare(self, place: Any, message: Message) -> tuple[str, str]:
        """Title and text for the plug-in; raises PermanentError for a service with unknown markup."""
        schemas = _schemas(place)
        if not schemas & KNOWN_SERVICES and not (self.unsafe_text or message.unsafe):
            raise PermanentError(_unknown(str(place.service_name)))
        if schemas & WEBHOOKS:
            place.headers.setdefault("Idempotency-Key", message.key)
        if prepare := next((PREPARATIONS[schema] for schema in schemas if schema in PREPARATIONS), None):
            return prepare(place, message)
        if schemas & PLAIN_TEXT_SERVICES and place.notify_format != _apprise().NotifyFormat.MARKDOWN:
            return message.subject, message.text
        return neutralize_text(message.subject), neutralize_text(message.text, message.links)

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Check whether apprise understands the URL. Nothing is sent, so the service is not checked."""

        def understood() -> str:
            place, schema = self._place(services, None)
            self._prepare(place, Message("subject", "text", "key"))
            return f"the {schema} URL is understood, for {place.service_name}; nothing was sent"

        yield run_check("url", understood, "compare it with https://github.com/caronc/apprise/wiki")

    def _place(self, services: SettingSource, asset: Any) -> tuple[Any, str]:
        """apprise's plug-in for the URL, and the URL's schema."""
        apprise = _apprise()
        url = services.text(self.url)
        place = apprise.Apprise.instantiate(url, asset=asset)
        schema = _schema(url)
        if place is None:
            raise PermanentError(
                f"apprise does not understand the {schema} URL of this connection{self._setting()}: "
                "compare it with https://github.com/caronc/apprise/wiki"
            )
        return place, schema

    def _setting(self) -> str:
        return f", in the app setting '{self.url.setting}'" if isinstance(self.url, SettingName) else ""


@cache
def _apprise() -> Any:
    """The library. It logs the complete URL when it cannot use it, so only statuses pass its log."""
    with import_lock():
        import apprise

    log = logging.getLogger("apprise")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    log.addFilter(keep_only_status)
    return apprise


def _schema(url: str) -> str:
    found = SCHEMA.match(url)
    return f"{found[1].lower()}://" if found else "(schema-less)"


def _schemas(place: Any) -> frozenset[str]:
    """Every schema of the service, also of its native https URLs."""
    found: set[str] = set()
    for protocols in (place.protocol, place.secure_protocol):
        found |= {protocols} if isinstance(protocols, str) else set(protocols or ())
    return frozenset(found)


def _unknown(service: str) -> str:
    return (
        f"mlevents does not know whether '{service}' treats text as markup: a value from an event could add "
        "a mention or a link. Use another service, or write `unsafe_text: true` to accept it"
    )
