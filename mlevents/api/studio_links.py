"""Links from a response to the pages of Azure ML Studio: its model, its jobs, its endpoints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlevents.events.studio_links import endpoint_page, make_studio_link, model_page, run_page
from mlevents.orchestration.json_message import Json, JsonMessage


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

    def link(self, kind: Literal["model", "job", "endpoint"], name: str, page: str) -> Iterator[StudioLink]:
        """The link to a page; none where the event's topic is not a workspace."""
        if url := make_studio_link(page, self.id, self.tenant):
            yield StudioLink(kind, name, url)


def find_links(topic: str, names: Json, results: Json, tenant: str = "") -> list[StudioLink]:
    """The pages of what an event names (`names`) and of what its steps left (`results`, by step).

    None where the event's topic is not a workspace.
    """
    workspace = StudioWorkspace(topic, tenant)
    found = {(link.kind, link.name): link for link in _links(workspace, names, results)}
    return list(found.values())


def _links(workspace: StudioWorkspace, names: Json, results: Json) -> Iterator[StudioLink]:
    model, run = _map(names, "model"), _map(names, "run")
    if (name := _text(model, "name")) and (version := _text(model, "version")):
        yield from workspace.link("model", f"{name}:{version}", model_page(name, version))
    jobs = [_text(run, "id"), *(_text(one, "job") for one in results.values())]
    for job in filter(None, jobs):
        yield from workspace.link("job", job, run_page(job))
    for endpoint in filter(None, (_text(one, "endpoint") for one in results.values())):
        yield from workspace.link("endpoint", endpoint, endpoint_page(endpoint))


def _map(names: Json, root: str) -> Json:
    found = names.get(root)
    return found if isinstance(found, Mapping) else {}


def _text(fields: Any, name: str) -> str:
    found = fields.get(name) if isinstance(fields, Mapping) else None
    return found if isinstance(found, str) else ""
