"""One thread of an Azure DevOps pull request, written again with each run: against a server on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from infra.pull_request_thread import LONGEST_COMMENT, MARK, ThreadError, write_thread

PLACE = "/org/42/_apis/git/repositories/repo/pullRequests/7/threads"


class AzureDevOps(BaseHTTPRequestHandler):
    """The threads of one pull request; without the token, or where it may not write, 403."""

    threads: ClassVar[list[dict[str, Any]]]
    writable: ClassVar[bool]

    def log_message(self, format: str, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer({"value": self.threads})

    def do_POST(self) -> None:
        body, number = self._body(), len(self.threads) + 1
        properties = {
            key: {"$type": "System.String", "$value": value} for key, value in body["properties"].items()
        }
        comments = [{**one, "id": 1, "isDeleted": False} for one in body["comments"]]
        thread = {**body, "id": number, "comments": comments, "properties": properties}
        if self.writable:
            self.threads.append(thread)
        self._answer(thread)

    def do_PATCH(self) -> None:
        _, thread, _, comment = self.path.removeprefix(PLACE).partition("?")[0].rsplit("/", 3)
        [found] = [one for one in self.threads if str(one["id"]) == thread]
        found["comments"][int(comment) - 1] |= self._body()
        self._answer(found)

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, document: Any) -> None:
        right = self.path.startswith(PLACE) and self.path.endswith("?api-version=7.1")
        allowed = self.headers["Authorization"] == "Bearer t" and (self.command == "GET" or self.writable)
        self.send_response(200 if right and allowed else 403 if right else 404)
        self.end_headers()
        self.wfile.write(json.dumps(document if right and allowed else {}).encode())


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """What Azure Pipelines sets in a job of a pull request."""
    AzureDevOps.threads, AzureDevOps.writable = [{"id": 1, "comments": [], "properties": None}], True
    server = HTTPServer(("127.0.0.1", 0), AzureDevOps)
    Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "SYSTEM_COLLECTIONURI": f"http://127.0.0.1:{server.server_port}/org/",
        "SYSTEM_TEAMPROJECTID": "42",
        "BUILD_REPOSITORY_ID": "repo",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        "SYSTEM_ACCESSTOKEN": "t",
    }
    server.shutdown()
    server.server_close()


def contents() -> list[str]:
    """Each thread of ours, as people read it."""
    ours = [one for one in AzureDevOps.threads if MARK in (one["properties"] or {})]
    return [one["comments"][0]["content"] for one in ours]


def test_each_run_writes_the_same_thread(environment: dict[str, str]):
    write_thread("first", environment)
    assert contents() == ["first"]
    assert AzureDevOps.threads[-1]["status"] == 4, "a closed thread does not block the pull request"
    write_thread("second <b>", environment)
    assert contents() == ["second <b>"]


def test_after_somebody_deleted_it_there_is_a_new_one(environment: dict[str, str]):
    write_thread("first", environment)
    AzureDevOps.threads[-1]["comments"][0]["isDeleted"] = True
    write_thread("second", environment)
    assert contents() == ["first", "second"]


def test_a_text_that_is_too_long_is_cut(environment: dict[str, str]):
    write_thread("x" * (LONGEST_COMMENT + 1), environment)
    assert len(contents()[0]) == LONGEST_COMMENT
    assert contents()[0].endswith("…")


def test_a_missing_right_is_named_with_its_remedy(environment: dict[str, str]):
    AzureDevOps.writable = False
    with pytest.raises(
        ThreadError, match="answered 403 to POST threads: give the build service 'Contribute to"
    ):
        write_thread("x", environment)


@pytest.mark.parametrize("name", ["SYSTEM_ACCESSTOKEN", "SYSTEM_PULLREQUEST_PULLREQUESTID"])
def test_outside_of_a_pull_request_it_says_so(environment: dict[str, str], name: str):
    with pytest.raises(ThreadError, match=f"{name}: not set: run this in the pipeline of a pull request"):
        write_thread("x", environment | {name: ""})


def test_the_command_of_the_pipeline(environment: dict[str, str], tmp_path: Path):
    (tmp_path / "diff.md").write_text("### Rules added", encoding="utf-8")
    command = [sys.executable, "-m", "infra.pull_request_thread", str(tmp_path / "diff.md")]
    known = {**os.environ, **environment}
    subprocess.run(command, env=known, check=True)
    assert contents() == ["### Rules added"]
    AzureDevOps.writable = False
    done = subprocess.run(command, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("##vso[task.logissue type=error]mlevents: Azure DevOps answered 403")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
