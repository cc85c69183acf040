"""Jira Cloud: issues of projects, and who may create them.

https://developer.atlassian.com/cloud/jira/platform/rest/v3. In the sandbox every site and project exists.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.inboxes.inbox import Inbox
from sandbox.outside_service import OutsideService

HOST = ".atlassian.net"
API = "/rest/api/3"
TYPES = ("Bug", "Epic", "Story", "Task")
FIELDS = ("project", "issuetype", "summary", "description", "labels", "priority", "components")
LONGEST_SUMMARY = 255
SANDBOX_JIRA_TOKEN = "a token of the sandbox"
JQL = re.compile(r'project = "(\w+)" AND labels = "([^"]+)" ORDER BY created ASC')


class JiraError(Exception):
    """A refusal: messages, or the fault of a field."""

    def __init__(self, status: int, message: str = "", **errors: str) -> None:
        self.status = status
        self.body = {"errorMessages": [message] if message else [], "errors": errors}
        super().__init__(message)


@dataclass
class Jira(OutsideService):
    """A site; `projects` are the keys of those that exist, or None for all."""

    inbox: Inbox
    tokens: set[str] = field(default_factory=lambda: {SANDBOX_JIRA_TOKEN})
    projects: tuple[str, ...] | None = None
    issues: list[dict[str, Any]] = field(default_factory=list)

    def serves(self, request: web.Request) -> bool:
        """Whether the request is to the API of a site."""
        return (request.url.host or "").endswith(HOST) and request.path.startswith(API)

    async def answer(self, request: web.Request) -> web.Response:
        """The answer to any request."""
        try:
            self._require_user(request.headers.get("Authorization"))
            return self._answer(request, json.loads(await request.read() or b"{}"))
        except JiraError as error:
            return web.json_response(error.body, status=error.status)

    def _require_user(self, authorization: str | None) -> None:
        scheme, _, value = (authorization or "").partition(" ")
        try:
            user, _, token = b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = token = ""
        if scheme.lower() != "basic" or not user or token not in self.tokens:
            raise JiraError(401, "Client must be authenticated to access this resource.")

    def _answer(self, request: web.Request, body: Any) -> web.Response:
        path = request.path.removeprefix(API)
        if found := re.fullmatch(r"/project/(\w+)", path):
            self._require_project(found[1])
            return web.json_response({"key": found[1], "name": found[1].title()})
        if found := re.fullmatch(r"/issue/createmeta/(\w+)/issuetypes", path):
            self._require_project(found[1])
            return web.json_response({"issueTypes": [{"name": name} for name in TYPES]})
        if (request.method, path) == ("POST", "/search/jql"):
            return self._search(body)
        if (request.method, path) == ("POST", "/issue"):
            return self._create(request.url.host or "", body.get("fields") or {})
        if path == "/search":
            raise JiraError(410, "The requested API has been removed: use /rest/api/3/search/jql.")
        raise JiraError(404, "Not found")

    def _require_project(self, key: str) -> None:
        if self.projects is not None and key not in self.projects:
            raise JiraError(404, f"No project could be found with key '{key}'.")

    def _search(self, body: Mapping[str, Any]) -> web.Response:
        found = JQL.fullmatch(str(body.get("jql")))
        if found is None:
            raise JiraError(400, "Error in the JQL Query.")
        listed = [
            {"id": one["id"], "key": one["key"]}
            for one in self.issues
            if one["fields"]["project"]["key"] == found[1] and found[2] in one["fields"]["labels"]
        ]
        return web.json_response({"issues": listed[: body.get("maxResults", 50)], "isLast": True})

    def _create(self, host: str, fields: Mapping[str, Any]) -> web.Response:
        key = fields["project"]["key"]
        if self.projects is not None and key not in self.projects:
            raise JiraError(400, project="valid project is required")
        if fields["issuetype"]["name"] not in TYPES:
            raise JiraError(400, issuetype="Specify a valid issue type")
        _check_fields(fields)
        issue = {"id": str(10_000 + len(self.issues)), "key": f"{key}-{len(self.issues) + 1}"}
        self.issues.append({**issue, "fields": dict(fields)})
        text, to = _read_document(fields["description"]), [f"{host}/{key}"]
        self.inbox.put("jira", to=to, subject=fields["summary"], text=text, body=dict(fields))
        return web.json_response(issue, status=201)


def _check_fields(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in FIELDS and not name.startswith("customfield_"):
            text = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            raise JiraError(400, **{name: text})
    summary = fields.get("summary") or ""
    if not summary.strip():
        raise JiraError(400, summary="You must specify a summary of the issue.")
    if len(summary) > LONGEST_SUMMARY or "\n" in summary:
        raise JiraError(400, summary="The summary is invalid: it is too long, or has newlines.")
    if any(re.search(r"\s", label) for label in fields.get("labels") or []):
        raise JiraError(400, labels="The label contains spaces which is invalid.")
    if not _is_document(fields.get("description")):
        raise JiraError(400, description="Operation value must be an Atlassian Document")


def _read_document(document: Mapping[str, Any]) -> str:
    """The text of a document, a line for each paragraph."""
    return "\n".join("".join(node["text"] for node in one["content"]) for one in document["content"])


def _is_document(value: Any) -> bool:
    """Whether it is a document of paragraphs with texts that are not empty."""
    if not isinstance(value, dict) or (value.get("type"), value.get("version")) != ("doc", 1):
        return False
    nodes = [node for paragraph in value["content"] for node in paragraph["content"]]
    return all(node["type"] == "text" and node["text"] for node in nodes)
