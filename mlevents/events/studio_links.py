"""Links to the pages of Azure ML Studio, computed when an expression reads them: no event carries them.

    "${run.link}"    https://ml.azure.com/runs/<run>?wsid=<ARM id of the workspace>

`link` is a name below each root that has a page. The addresses are those that Studio shows; whether a service
on ACI or AKS has its page where an online endpoint has it is unverified.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mlevents.workspace_id import WorkspaceId

STUDIO = "https://ml.azure.com"
LINK = "link"
ENDPOINT = "endpoint"
"""The root of the endpoint that a step deployed to, or that a `model.deployed` event names."""
ENDPOINT_NAMES: Mapping[str, Mapping[str, str]] = {ENDPOINT: {"name": "text", LINK: "text"}}
"""What steps can read of it."""
TENANT = "tenant"
"""The root under which the app keeps its tenant for links; rules cannot read it."""
LONGEST_LINK = 1000
"""Characters; a message would cut a longer one."""
_TENANT = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

type ValuePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class StudioPage:
    """The page of what a root names: the fields that its address needs, and the address below the host."""

    fields: tuple[str, ...]
    address: Callable[..., str]


def quote_part(text: str) -> str:
    """A text as one part of an address."""
    return quote(text, safe="", errors="replace")


def model_page(name: str, version: str) -> str:
    """The page of a version of a model."""
    return f"model/{quote_part(name)}:{quote_part(version)}/details"


def run_page(run: str) -> str:
    """The page of a run, which is a job."""
    return f"runs/{quote_part(run)}"


def endpoint_page(endpoint: str) -> str:
    """The page of an online endpoint."""
    return f"endpoints/realtime/{quote_part(endpoint)}/detail"


STUDIO_PAGES: Mapping[str, StudioPage] = {
    "model": StudioPage(("name", "version"), model_page),
    "run": StudioPage(("id",), run_page),
    "drift": StudioPage(("monitor_run",), run_page),
    ENDPOINT: StudioPage(("name",), endpoint_page),
}
"""The pages by root; that of a drift is the run of its monitor."""


def make_studio_link(page: str, workspace: str, tenant: str = "") -> str | None:
    """The link to a page; None where `workspace` is not an ARM id. A tenant that is a GUID is named in it."""
    try:
        place = WorkspaceId.parse(workspace).id
    except ValueError:
        return None
    end = f"&tid={tenant}" if _TENANT.fullmatch(tenant) else ""
    return f"{STUDIO}/{page}?wsid={quote(place)}{end}"


def find_link(root: str, names: Mapping[str, Any], tenant: str = "") -> str | None:
    """The link of a root of an event's names; None where something that it needs is missing."""
    page, found, workspace = STUDIO_PAGES.get(root), names.get(root), names.get("workspace")
    if page is None or not isinstance(found, Mapping) or not isinstance(workspace, Mapping):
        return None
    parts = [found.get(field) for field in page.fields]
    if not all(isinstance(part, str) and 0 < len(part) < LONGEST_LINK for part in parts):
        return None
    # an endpoint may be in another workspace than the one that published the event
    place = found.get("workspace") or workspace.get("id")
    link = make_studio_link(page.address(*parts), str(place), tenant)
    return link if link and len(link) <= LONGEST_LINK else None


def add_links(names: Mapping[str, Any], tenant: str = "") -> dict[str, Any]:
    """The names with every link that can be computed."""
    links = {root: link for root in names if (link := find_link(root, names, tenant))}
    return {root: {**value, LINK: links[root]} if root in links else value for root, value in names.items()}


def list_own_links(names: Mapping[str, Any]) -> Iterator[str]:
    """Every link that can be computed from the names of a step, also of the events of its group."""
    tenant, group = str(names.get(TENANT, "")), names.get("group")
    events = group.get("events") if isinstance(group, Mapping) else None
    for place in (names, *(events if isinstance(events, list) else [])):
        if isinstance(place, Mapping):
            yield from filter(None, (find_link(root, place, tenant) for root in STUDIO_PAGES))


def find_link_root(path: ValuePath) -> tuple[ValuePath, str] | None:
    """For a link, the path of the names that have its root, and the root; None for another path."""
    *above, root, name = path if len(path) > 1 else (*path, "", "")
    is_link = name == LINK and root in STUDIO_PAGES and above[:1] in ([], ["group"])
    return (tuple(above), str(root)) if is_link else None


def list_link_sources(paths: Iterable[ValuePath]) -> Iterator[ValuePath]:
    """The paths of the values from which the links at some of these paths are computed."""
    for above, root in filter(None, map(find_link_root, paths)):
        yield from ((*above, root, field) for field in STUDIO_PAGES[root].fields)
        yield (*above, "workspace", "id")


def describe_links(names: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The types of an event's names, with the links that only expressions can read."""
    return {
        root: {**fields, LINK: "text"} if root in STUDIO_PAGES else fields for root, fields in names.items()
    }
