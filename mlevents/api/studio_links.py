"""Links from a response to the pages of Azure ML Studio: its model, its jobs, its endpoints."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from mlevents.orchestration.json_message import Json, JsonMessage
from mlevents.workspace_id import WorkspaceId

STUDIO_PAGES = "https://ml.azure.com"
TENANT = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class StudioLink(JsonMessage):
    """One page of Azure ML Studio."""

    kind: Literal["model", "job", "endpoint"]
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class StudioWorkspace:
    """The workspace whose pages are linked to; the tenant is in the link if it is known."""

    id: str
    tenant: str = ""

    def link(self, kind: Literal["model", "job", "endpoint"], name: str, page: str) -> StudioLink:
        """The link to a page, whose address is `page`."""
        tenant = f"&tid={self.tenant}" if TENANT.fullmatch(self.tenant) else ""
        return StudioLink(kind, name, f"{STUDIO_PAGES}/{page}?wsid={quote(self.id)}{tenant}")


def find_links(topic: str, names: Json, results: Json, tenant: str = "") -> list[StudioLink]:
    """The pages of what an event names (`names`) and of what its steps left (`results`, by step).

    None where the event's topic is not a workspace.
    """
    try:
        workspace = StudioWorkspace(WorkspaceId.parse(topic).id, tenant)
    except ValueError:
        return []
    found = {(link.kind, link.name): link for link in _links(workspace, names, results)}
    return list(found.values())


def _links(workspace: StudioWorkspace, names: Json, results: Json) -> Iterator[StudioLink]:
    model, run = _map(names, "model"), _map(names, "run")
    if (name := _text(model, "name")) and (version := _text(model, "version")):
        page = f"model/{_quote(name)}:{_quote(version)}/details"
        yield workspace.link("model", f"{name}:{version}", page)
    jobs = [_text(run, "id"), *(_text(one, "job") for one in results.values())]
    for job in filter(None, jobs):
        yield workspace.link("job", job, f"runs/{_quote(job)}")
    for endpoint in filter(None, (_text(one, "endpoint") for one in results.values())):
        yield workspace.link("endpoint", endpoint, f"endpoints/realtime/{_quote(endpoint)}/detail")


def _map(names: Json, root: str) -> Json:
    found = names.get(root)
    return found if isinstance(found, Mapping) else {}


def _text(fields: Any, name: str) -> str:
    found = fields.get(name) if isinstance(fields, Mapping) else None
    return found if isinstance(found, str) else ""


def _quote(text: str) -> str:
    return quote(text, safe="", errors="replace")
