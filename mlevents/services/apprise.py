"""Chat and paging by apprise: Teams, Slack, PagerDuty and a hundred more.

```yaml
connections:
  mlops-teams:
    type: apprise
    url: {setting: TEAMS_WORKFLOW_URL}      # such a URL is a secret: keep it in a setting
```

Every URL of https://github.com/caronc/apprise/wiki will do. Nothing of it but the schema is ever
shown. What apprise sends carries no key of ours: a message whose answer was lost arrives twice.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from mlevents.errors import PermanentError, TransientError
from mlevents.services.connection import Connection, Message, SettingName, Text, connection
from mlevents.services.finding import Finding, attempt
from mlevents.services.importing import importing

if TYPE_CHECKING:
    from mlevents.services.services import Services

SCHEMA = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\S")
STATUS = re.compile(r"\berror=([1-5]\d\d)\b")
"""How apprise's plug-ins log the HTTP status that they got."""
NO_LINKS = str.maketrans("[]<>", "()‹›")
"""apprise escapes the body but not the title: without these no Markdown link or tag can be written."""


def _literal(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str) and not SCHEMA.match(value):
        raise ValueError("no URL: it begins with a schema, such as msteams://, slack:// or https://")
    return value


@connection("apprise")
class Apprise(Connection):
    """Any one place that apprise can send to."""

    model_config = ConfigDict(hide_input_in_errors=True)

    url: Annotated[Text, AfterValidator(_literal), Field(repr=False)]

    def send(self, message: Message, services: Services) -> str:
        """Send as plain text, which apprise escapes for places that read Markdown or HTML."""
        apprise = _apprise()
        asset = apprise.AppriseAsset(app_id="mlevents", async_mode=False, secure_logging=True)
        place, schema = self._place(services, asset)
        sender = apprise.Apprise(asset=asset)
        sender.add(place)
        text = apprise.NotifyFormat.TEXT
        rendered = place.resolve_format(text) == apprise.NotifyFormat.MARKDOWN
        title = message.subject.translate(NO_LINKS) if rendered else message.subject
        result = sender.notify(title=title, body=message.text, body_format=text)
        if not result:
            raise TransientError(f"{place.service_name} ({schema}) did not take the message{_reason(result)}")
        return schema.removesuffix("://")

    def examine(self, services: Services) -> Iterator[Finding]:
        """See whether apprise understands the URL; nothing is sent, so whether it is taken stays unknown."""

        def understood() -> str:
            place, schema = self._place(services, None)
            return f"the {schema} URL is understood, for {place.service_name}; nothing was sent"

        yield attempt("url", understood, "compare it with https://github.com/caronc/apprise/wiki")

    def _place(self, services: Services, asset: Any) -> tuple[Any, str]:
        """What apprise makes of the URL, and the URL's schema."""
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
    """The library, which logs an URL whole when it cannot use it: of its log nobody hears but statuses."""
    with importing():
        import apprise

    log = logging.getLogger("apprise")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    log.addFilter(_only_the_status)
    return apprise


def _only_the_status(record: logging.LogRecord) -> bool:
    found = STATUS.search(record.getMessage())
    record.msg, record.args = found[0] if found else "apprise says something that is not shown", ()
    return True


def _schema(url: str) -> str:
    found = SCHEMA.match(url)
    return f"{found[1].lower()}://" if found else "(schema-less)"


def _reason(result: Iterable[Any]) -> str:
    """The HTTP status alone: the rest of apprise's log may quote what must not be shown."""
    logs = (entry.message for place in result for attempt in place for entry in attempt)
    found = [status[1] for status in map(STATUS.search, logs) if status]
    return f" (HTTP {found[-1]})" if found else ""
