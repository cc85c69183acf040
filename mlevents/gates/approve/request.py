"""What an approval asks for: the message to people, and what is known of the model's author."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlevents.duration import format_utc
from mlevents.errors import ActionError, ConfigError, PermanentError, TransientError
from mlevents.events.studio_links import TENANT, add_links, list_own_links
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.gates.approve.link import ApprovalSubject
from mlevents.message_templates.template_engine import render_template
from mlevents.services.connection import Message, Sender
from mlevents.services.console_links import CONSOLE, make_response_link
from mlevents.services.message_text import one_line
from mlevents.services.sdk_errors import clean_text
from mlevents.settings import Settings

if TYPE_CHECKING:
    from mlevents.services.services import Services

_LONGEST_LINE, _MOST_LINES = 500, 20
_TEMPLATE = "approval-wanted"
_PAGE = f"{CONSOLE}/approvals"


@dataclass(frozen=True, slots=True)
class ApprovalMessage:
    """What people read: `about` is what the event is about, `lines` what would happen.

    `names` are those of the event, for links.
    """

    response: str
    rule: str
    about: str
    event: str
    lines: Sequence[str]
    until: str
    names: Mapping[str, Any] = field(default_factory=dict)

    def write(self, link: str, settings: Settings) -> tuple[str, str]:
        """Subject and text; raises ConfigError when the address of the app is unknown."""
        approval = {"about": self.about, "event": self.event, "until": format_utc(self.until), "link": link}
        steps = [one_line(line, _LONGEST_LINE) for line in self.lines[:_MOST_LINES]]
        page = make_response_link(settings, self.response)
        values = {
            **add_links(self.names, settings.values.get("AZURE_TENANT_ID", "")),
            "approval": {**approval, "steps": steps or ["nothing"]},
            "response": {"id": self.response, "rule": self.rule, "link": page},
        }
        return render_template(_TEMPLATE, values)

    def list_links(self, link: str, settings: Settings) -> tuple[str, ...]:
        """The addresses in it that are links: no address in a value is one."""
        names = {**self.names, TENANT: settings.values.get("AZURE_TENANT_ID", "")}
        return (link, make_response_link(settings, self.response), *list_own_links(names))


def describe_steps(steps: Sequence[Mapping[str, Any]], names: Mapping[str, Any]) -> Iterator[str]:
    """A line for each step, with its values filled in as far as the event tells them."""
    for step in list(steps)[:_MOST_LINES]:
        values = ", ".join(f"{key}: {value}" for key, value in _list_values(step["with"], names))
        name = step["uses"] if step["id"] == step["uses"] else f"{step['id']} ({step['uses']})"
        yield one_line(f"{name}: {values}" if values else name, _LONGEST_LINE)


def _list_values(written: Mapping[str, Any], names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Plain values first, then lists and maps as JSON: a long one is cut at the end of its line."""
    for key, value in sorted(written.items(), key=lambda item: isinstance(item[1], Mapping | list)):
        try:
            filled = render_value(value, names)
        except ExpressionError:  # it reads the result of an earlier step
            filled = value
        yield key, filled if isinstance(filled, str) else json.dumps(filled, ensure_ascii=False)


def begin_approval(names: Mapping[str, Any], reads_author: bool, services: "Services") -> dict[str, Any]:
    """A random number for the token and, where it matters, who registered the model.

    `author` has `name` and `type`, as Azure writes them; both are empty where Azure does not tell.
    """
    found: dict[str, Any] = {"nonce": secrets.token_urlsafe(24)}
    return found | {"author": read_author(names, services)} if reads_author else found


def read_author(names: Mapping[str, Any], services: "Services") -> dict[str, str]:
    """Who registered the event's model, by Azure ML."""
    model, workspace = names.get("model") or {}, names.get("workspace") or {}
    models = services.machine_learning(str(workspace.get("id") or "")).models
    version = models.find_version(str(model.get("name") or ""), str(model.get("version") or ""))
    known = (version.created_by, version.created_by_type) if version else ("", "")
    return dict(zip(("name", "type"), known, strict=True))


def make_link(address: str, response: str, token: str) -> str:
    """The address of the page on which a person decides."""
    return f"{address}{_PAGE}/{quote(response, safe='')}/{token}"


def ask_for_approval(
    subject: ApprovalSubject,
    nonce: str,
    message: ApprovalMessage,
    receivers: Sequence[str],
    services: "Services",
) -> dict[str, Any]:
    """Send the link to each receiver: `sent`, `late` (it may be tried again) and `refused`, with the words.

    `hash` is what is stored of the token. Raises ConfigError when the address of the app is unknown.
    """
    token = subject.make_token(services.settings.secret, nonce)
    link = make_link(services.settings.find_address(), message.response, token)
    links = message.list_links(link, services.settings)
    written = Message(*message.write(link, services.settings), f"mlevents-approval-{subject.key}", links)
    said: dict[str, dict[str, str]] = {"sent": {}, "late": {}, "refused": {}}
    for receiver in receivers:
        kind, words = _send(replace(written, key=f"{written.key}-{receiver}"), receiver, services)
        said[kind][receiver] = words
    return {"hash": subject.hash_token(token), **said}


def _send(message: Message, receiver: str, services: "Services") -> tuple[str, str]:
    try:
        found = services.connection(receiver)
        if not isinstance(found, Sender):
            raise PermanentError("is a connection that sends no messages: name an email, smtp or apprise one")
        return "sent", found.send(message, services)
    except TransientError as error:
        return "late", clean_text(str(error))
    except (ActionError, ConfigError) as error:
        return "refused", clean_text(str(error))
