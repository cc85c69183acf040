"""One project of Azure DevOps: requests to its REST API, and what refusals mean.

https://learn.microsoft.com/rest/api/azure/devops, api-version 7.1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from mlevents.errors import ActionError, PermanentError, RefusedError
from mlevents.services.http.answers import read_wait, refuse_answer
from mlevents.services.http.http_client import HttpAnswer, HttpClient
from mlevents.services.http.rest_client import RestClient, add_query, translate_status
from mlevents.services.sdk_errors import clean_text, translate_errors

_API_VERSION = {"api-version": "7.1"}
_LONGEST_QUOTE = 400
_SIGN_IN = (
    "Azure DevOps asks to sign in; renew the personal access token of the connection, or add the app's "
    "identity to the organization with access level Basic"
)
_REMEDIES = {
    401: "renew the personal access token, or add the app's identity to the organization",
    403: "give the identity or the token the right in docs/actions.md, in this project",
    404: "correct the name, or let the identity or the token see the project",
}


@dataclass(frozen=True, slots=True)
class Project:
    """A project; `base` is the address of its organization, `authorization` a header."""

    base: str
    name: str
    client: HttpClient
    authorization: str = field(repr=False)

    @property
    def address(self) -> str:
        """Where people find the project."""
        return f"{self.base}/{quote(self.name, safe='')}"

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON at a path below the project's `_apis`; raises TransientError for another answer."""
        answer = self.send("GET", path, query=query)
        with translate_errors(f"GET {self.address}/_apis{path}"):
            return answer.read_json()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """The answer 200; raises LostAnswerError when the request may have been accepted."""
        return self._send(
            f"{self.address}/_apis", method, add_query(path, {**_API_VERSION, **(query or {})}), body, headers
        )

    def read_state(self) -> str:
        """The state of the project, such as `wellFormed`."""
        path = add_query(f"/projects/{quote(self.name, safe='')}", _API_VERSION)
        answer = self._send(f"{self.base}/_apis", "GET", path, None, None)
        with translate_errors(f"reading the project '{self.name}'"):
            return str(answer.read_json()["state"])

    def _send(
        self, base: str, method: str, path: str, body: Any, headers: Mapping[str, str] | None
    ) -> HttpAnswer:
        rest = RestClient(base, self.client, self._headers, translate_devops_refusal)
        try:
            answer = rest.send(method, path, body, headers=headers)
        except RefusedError:
            raise
        except PermanentError as error:
            if "/_signin" not in str(error):
                raise
            raise PermanentError(f"{method} {base}: {_SIGN_IN}") from None
        if is_sign_in(answer):
            raise translate_devops_refusal(answer, f"{method} {base}")
        return answer

    def _headers(self) -> dict[str, str]:
        """With the last one, Azure DevOps answers 401 instead of redirecting to its page to sign in."""
        return {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": self.authorization,
            "X-TFS-FedAuthRedirect": "Suppress",
        }


def is_sign_in(answer: HttpAnswer) -> bool:
    """Whether an answer is the page to sign in: 203, or HTML in the place of JSON."""
    return answer.status == 203 or (
        answer.status == 200 and "text/html" in answer.headers.get("content-type", "")
    )


def translate_devops_refusal(answer: HttpAnswer, place: str) -> ActionError:
    """The error for an answer that is not the expected one."""
    if is_sign_in(answer):
        return refuse_answer(f"{place} answered {answer.status}: {_SIGN_IN}", answer)
    text = f"{place} answered {answer.status}: {_read_message(answer) or 'nothing'}"
    wait = read_wait(answer) or 30.0 if answer.status == 429 else None
    return translate_status(answer, text, _REMEDIES, wait)


def _read_message(answer: HttpAnswer) -> str:
    """What Azure DevOps says, as one line, with the results of its validation."""
    try:
        document: Any = answer.read_json()
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, Mapping):
        return ""
    more = document.get("customProperties")
    results = more.get("ValidationResults") if isinstance(more, Mapping) else None
    parts = [document, *(results if isinstance(results, list) else [])]
    texts = dict.fromkeys(
        str(one["message"]) for one in parts if isinstance(one, Mapping) and one.get("message")
    )
    return clean_text("; ".join(texts))[:_LONGEST_QUOTE]
