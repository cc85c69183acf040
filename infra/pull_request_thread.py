"""Puts a Markdown file into one thread of an Azure DevOps pull request; each run updates the same thread.

`python -m infra.pull_request_thread diff.md`, in a job of Azure Pipelines with SYSTEM_ACCESSTOKEN. REST:
learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads and …/pull-request-thread-comments.
"""

import json
import os
import sys
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

MARK = "mlevents.diff"
"""The property of the thread by which the next run finds it."""
NAMED = (
    *("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECTID", "BUILD_REPOSITORY_ID"),
    *("SYSTEM_PULLREQUEST_PULLREQUESTID", "SYSTEM_ACCESSTOKEN"),
)
CLOSED = 4
"""The status of a thread that does not block the pull request."""
LONGEST_COMMENT = 150_000
"""Characters of a comment that Azure DevOps takes."""
TIMEOUT = 60.0
REMEDY = (
    "give the build service 'Contribute to pull requests' on the repository "
    "(Project settings → Repositories → Security)"
)


class ThreadError(Exception):
    """The comment was not written; the message says why, and what helps."""


def write_thread(text: str, environment: Mapping[str, str]) -> None:
    """Update our thread of the pull request, or create it; raises ThreadError."""
    if missing := [name for name in NAMED if not environment.get(name)]:
        raise ThreadError(f"{', '.join(missing)}: not set: run this in the pipeline of a pull request")
    collection, project, repository, number, token = (environment[name] for name in NAMED)
    request = f"{project}/_apis/git/repositories/{repository}/pullRequests/{number}"
    threads = f"{collection.rstrip('/')}/{request}/threads"
    content = text if len(text) <= LONGEST_COMMENT else f"{text[: LONGEST_COMMENT - 2]}\n…"
    for thread in _call("GET", threads, token)["value"]:
        comment: dict[str, Any] = next(iter(thread.get("comments") or ()), {})
        if MARK in (thread.get("properties") or {}) and not comment.get("isDeleted", True):
            place = f"{threads}/{thread['id']}/comments/{comment['id']}"
            _call("PATCH", place, token, {"content": content})
            return
    comment = {"parentCommentId": 0, "content": content, "commentType": 1}
    _call("POST", threads, token, {"comments": [comment], "status": CLOSED, "properties": {MARK: "1"}})


def _call(method: str, url: str, token: str, body: Mapping[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = Request(f"{url}?api-version=7.1", content, headers, method=method)
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except HTTPError as error:
        error.close()
        raise ThreadError(f"Azure DevOps answered {error.code} to {method} threads: {REMEDY}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ThreadError(f"the answer of Azure DevOps cannot be read: {error}: run the job again") from error


def main() -> None:
    """Write the thread; print one line and exit 1 where that fails."""
    try:
        write_thread(Path(sys.argv[1]).read_text(encoding="utf-8"), os.environ)
    except ThreadError as error:
        print(f"##vso[task.logissue type=error]mlevents: {error}")  # noqa: T201 - Azure Pipelines reads this line
        sys.exit(1)


if __name__ == "__main__":
    main()
