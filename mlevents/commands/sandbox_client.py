"""Asks a running sandbox: its Event Grid, its Azure ML as a person with every right, the app's API."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from mlevents.commands.command import EXIT_PROBLEMS, exit_with_error
from mlevents.commands.running_sandbox import START
from mlevents.errors import MleventsError
from mlevents.registry import suggest_names
from mlevents.settings import PUBLIC_RESOURCE_MANAGER

ANSWER_SECONDS = 30.0
API_VERSION = "2024-10-01"
PERSON = "owner"
"""The IDENTITY_HEADER with which the sandbox's identity answers as a person who has every right."""


class SandboxRefusal(Exception):  # noqa: N818 - an answer
    """The sandbox answered with an HTTP status other than success; `text` is what it said."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(f"{status} {text}")


class NoSandboxError(MleventsError):
    """The sandbox does not answer."""


@contextmanager
def exit_without_answer() -> Iterator[None]:
    """Exit with the reason where the sandbox does not answer, or refuses what it should not."""
    try:
        yield
    except (NoSandboxError, SandboxRefusal) as error:
        exit_with_error(str(error), EXIT_PROBLEMS)


class SandboxClient:
    """The sandbox with this ready file; every request raises NoSandboxError if there is no answer."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self.ready = ready
        context = ssl.create_default_context(cafile=ready["ca"])
        # The sandbox is on this machine: no proxy of the environment leads to it.
        self._opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))

    def choose_workspace(self, name: str | None) -> str:
        """The ARM id of a workspace, by its name in the rule file or in Azure; exits if there is none.

        An ARM id is taken as it is, so that an event from elsewhere can be tried.
        """
        if name is None:
            return str(self.ready["workspace"])
        known = dict(self.ready.get("workspaces") or {})
        by_name = {id_.rpartition("/")[2]: id_ for id_ in self.list_workspaces()}
        if name.startswith("/"):
            return name
        found = known.get(name) or by_name.get(name)
        if found is None:
            suggestion = suggest_names(name, {**known, **by_name})
            exit_with_error(f"the sandbox has no workspace '{name}'{suggestion}")
        return str(found)

    def list_workspaces(self) -> list[str]:
        """The ARM ids of the workspaces that the sandbox serves."""
        return list(dict.fromkeys((self.ready["workspace"], *(self.ready.get("workspaces") or {}).values())))

    def publish_event(self, document: Mapping[str, Any]) -> None:
        """Publish one event, as the workspace does."""
        self._ask("POST", self.ready["event_grid"], [document])

    def read_journal(self, *, after: int = 0, event_id: str | None = None) -> dict[str, Any]:
        """What became of the published events after the one with this number; see the sandbox's journal."""
        query = {"after": after, **({"id": event_id} if event_id else {})}
        return dict(self._ask("GET", f"{self.ready['event_grid']}/journal?{urlencode(query)}"))

    def list_responses(self, **query: Any) -> list[dict[str, Any]]:
        """The responses that the app's API lists, the newest first: one page."""
        url = f"{self.ready['functions']}/api/v1/responses?{urlencode(query)}"
        key = self.ready.get("function_key")
        return list(self._ask("GET", url, headers={"x-functions-key": key} if key else None)["responses"])

    def list_streams(self) -> list[dict[str, Any]]:
        """The synthetic traffic that there is."""
        return list(self._ask("GET", self.ready["load"]))

    def set_stream(self, stream: Mapping[str, Any]) -> None:
        """Set the synthetic traffic of an endpoint or a deployment; raises SandboxRefusal."""
        self._ask("POST", self.ready["load"], stream)

    def find_next_version(self, workspace: str, model: str) -> str:
        """The version that the next registration of a model gets."""
        try:
            found = self.read_arm(f"{workspace}/models/{quote(model, safe='')}")
        except SandboxRefusal:
            return "1"
        return str(found["properties"]["nextVersion"])

    def list_names(self, path: str) -> list[str]:
        """The names of the resources of a collection of Azure ML; none where it is not there."""
        try:
            return [str(one["name"]) for one in self.read_arm(path)["value"]]
        except SandboxRefusal:
            return []

    def read_arm(self, path: str) -> dict[str, Any]:
        """A resource of Azure ML; raises SandboxRefusal."""
        resource = urlencode({"resource": PUBLIC_RESOURCE_MANAGER, "api-version": "2019-08-01"})
        header = {"X-IDENTITY-HEADER": PERSON}
        token = self._ask("GET", f"{self.ready['identity']}?{resource}", headers=header)["access_token"]
        url = f"{self.ready['arm']}{path}?api-version={API_VERSION}"
        return dict(self._ask("GET", url, headers={"Authorization": f"Bearer {token}"}))

    def _ask(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            with self._opener.open(Request(url, content, sent, method=method), timeout=ANSWER_SECONDS) as got:
                text = got.read()
            return json.loads(text) if text else None
        except HTTPError as error:
            raise SandboxRefusal(error.code, _read_reason(error)) from error
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise NoSandboxError(f"the sandbox does not answer at {url} ({reason}): {START}") from error


def _read_reason(error: HTTPError) -> str:
    """What an error answer says, in its JSON or as it is."""
    with error:
        text = error.read(5000).decode("utf-8", "replace")
    try:
        said = json.loads(text)["error"]
        return str(said.get("message", said) if isinstance(said, dict) else said)
    except (ValueError, KeyError, TypeError):
        return text
