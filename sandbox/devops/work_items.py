"""Azure Boards: https://learn.microsoft.com/rest/api/azure/devops/wit."""

import re
from typing import Any

from aiohttp import web

from sandbox.devops.answers import DevOpsError
from sandbox.devops.call import DevOpsCall

PATCH = "application/json-patch+json"
TYPES = ("Bug", "Epic", "Feature", "Issue", "Task", "User Story")
"""Those of the process Agile."""
LONGEST_TITLE = 255
TAG = re.compile(r"\[System\.Tags\] CONTAINS '([^']*)'")
FIELD = re.compile(r"/fields/((?:System|Microsoft|Custom)\.[\w.]+)")


def create_work_item(_: object, call: DevOpsCall) -> web.Response:
    """`POST …/wit/workitems/${type}` with a JSON patch."""
    if call.content_type != PATCH:
        raise DevOpsError(415, f"The request has the content type {call.content_type}, not {PATCH}.")
    _require_type(call.part)
    fields: dict[str, Any] = {}
    for one in call.body:
        found = FIELD.fullmatch(one["path"])
        if one["op"] != "add" or found is None:
            raise DevOpsError(400, f"TF51535: Cannot find field {one['path'].removeprefix('/fields/')}.")
        fields[found[1]] = one["value"]
    title = fields.get("System.Title") or ""
    if not title or len(title) > LONGEST_TITLE:
        raise DevOpsError(400, "TF401320: Rule Error for field Title. Error code: Required, InvalidEmpty.")
    item = {"id": 500 + len(call.runs.work_items), "fields": {"System.WorkItemType": call.part, **fields}}
    call.runs.work_items.append(item)
    call.put(f"{call.part} {title}")
    return web.json_response(item)


def query_work_items(_: object, call: DevOpsCall) -> web.Response:
    """`POST …/wit/wiql`, for a query by one tag."""
    found = TAG.search(call.body["query"])
    if found is None or "@project" not in call.body["query"]:
        raise DevOpsError(400, "TF51006: The query statement is missing a clause.")
    items = [{"id": one["id"]} for one in call.runs.work_items if found[1] in _list_tags(one)]
    return web.json_response({"queryType": "flat", "workItems": items})


def read_work_item_type(_: object, call: DevOpsCall) -> web.Response:
    """`GET …/wit/workitemtypes/{type}`."""
    _require_type(call.part)
    return web.json_response({"name": call.part})


def _list_tags(item: dict[str, Any]) -> list[str]:
    return [tag.strip() for tag in item["fields"].get("System.Tags", "").split(";")]


def _require_type(name: str) -> None:
    if name not in TYPES:
        text = f"VS402323: Work item type {name} does not exist in project."
        raise DevOpsError(404, text, "WorkItemTypeNotFoundException")
