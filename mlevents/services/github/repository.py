"""One repository of GitHub: requests to its REST API, as a GitHub App or by a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlevents.errors import ActionError, RefusedError, TransientError
from mlevents.services.answer_fields import require_text
from mlevents.services.github.app_token import (
    API_HEADERS,
    GitHubApp,
    forget_tokens,
    get_installation_token,
)
from mlevents.services.github.refusals import translate_refusal
from mlevents.services.http.http_client import HttpAnswer, HttpClient
from mlevents.services.http.rest_client import RestClient, add_query
from mlevents.services.sdk_errors import translate_errors


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository; `permissions` are those of a GitHub App's token, `proof` is its key, or a token."""

    name: str
    base: str
    client: HttpClient
    proof: str | GitHubApp = field(repr=False)
    permissions: Mapping[str, str]

    @property
    def rest(self) -> RestClient:
        """Requests below the repository's address."""
        return RestClient(f"{self.base}/repos/{self.name}", self.client, self._headers, self._translate)

    def _translate(self, answer: HttpAnswer, place: str) -> ActionError:
        """The error for a refusal; a token that was revoked early is replaced by the next attempt."""
        error = translate_refusal(answer, place)
        if answer.status != 401 or not isinstance(self.proof, GitHubApp):
            return error
        forget_tokens()
        return TransientError(str(error))

    def _headers(self) -> dict[str, str]:
        proof = self.proof
        if isinstance(proof, GitHubApp):
            found = get_installation_token(proof, self.base, self.client, self.name, self.permissions)
            proof = found.text
        return {**API_HEADERS, "Authorization": f"Bearer {proof}"}

    def read_visibility(self) -> str:
        """`public`, `internal` or `private`; raises PermanentError for a repository that is not visible."""
        found = self.rest.get("")
        with translate_errors(f"reading the repository {self.name}"):
            return "private" if found["private"] else str(found.get("visibility", "public"))

    def read_actor(self) -> str | None:
        """The name under which GitHub shows what this connection does; None where a token does not say."""
        if isinstance(self.proof, GitHubApp):
            asked = (self.proof, self.base, self.client, self.name, self.permissions)
            return get_installation_token(*asked).actor
        user = RestClient(self.base, self.client, self._headers, translate_refusal)
        try:
            return require_text(user.get("/user")["login"], "the user")
        except (RefusedError, ValueError, LookupError, TypeError):
            return None

    def read_text(self, path: str, ref: str) -> str:
        """The text of a file at a branch or tag."""
        raw = {"Accept": "application/vnd.github.raw+json"}
        return self.rest.send("GET", add_query(f"/contents/{path}", {"ref": ref}), headers=raw).text
