"""Issues of a repository: https://docs.github.com/rest/issues/issues."""

from datetime import UTC, datetime

from aiohttp import web

from sandbox.github.answers import GitHubError, require_keys
from sandbox.github.call import GitHubCall

LONGEST_TITLE, LONGEST_BODY, LONGEST_LABEL = 256, 65_536, 50


def create_issue(_: object, call: GitHubCall) -> web.Response:
    """`POST …/issues`."""
    call.require("issues", "write")
    body = require_keys(call.body, ("title",), ("body", "labels", "assignees", "milestone", "type"))
    labels = body.get("labels") or []
    if len(body["title"]) > LONGEST_TITLE or len(body.get("body") or "") > LONGEST_BODY:
        raise GitHubError(422, "Validation Failed")
    if any(len(label) > LONGEST_LABEL for label in labels):
        raise GitHubError(422, "Validation Failed")
    number = len(call.runs.issues) + 1
    issue = {
        "number": number,
        "title": body["title"],
        "body": body.get("body"),
        "labels": [{"name": label} for label in labels],
        "html_url": f"https://github.com/{call.repository}/issues/{number}",
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    call.runs.issues.append(issue)
    call.put(f"issue {body['title']}")
    return web.json_response(issue, status=201)


def list_issues(_: object, call: GitHubCall) -> web.Response:
    """`GET …/issues`, the newest first."""
    call.require("issues", "read")
    size, page = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
    listed = list(reversed(call.runs.issues))[size * (page - 1) : size * page]
    return web.json_response(listed)
