"""A REST API below one address: requests with JSON, answers that are judged in one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mlevents.errors import ActionError, TransientError
from mlevents.services.http.answers import read_wait, refuse_answer
from mlevents.services.http.http_client import HttpAnswer, HttpCall, HttpClient
from mlevents.services.sdk_errors import translate_errors

_OK = (200,)


class LostAnswerError(TransientError):
    """No answer came, or an error of the service: nobody knows whether it did what was asked."""


@dataclass(frozen=True, slots=True)
class RestClient:
    """Requests below `base`. `headers` gives those of a request; `translate` the error for a refusal.

    `translate` gets the answer and the place: the method and the address without the query.
    """

    base: str
    client: HttpClient
    headers: Callable[[], Mapping[str, str]]
    translate: Callable[[HttpAnswer, str], ActionError]

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON at a path; raises TransientError for an answer that is not JSON."""
        answer = self.send("GET", add_query(path, query))
        with translate_errors(f"GET {self.base}{path}"):
            return answer.read_json()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        expected: Collection[int] = _OK,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """The answer, of an expected status.

        Raises LostAnswerError when the request may have been accepted, else what `translate` gives.
        """
        address = f"{self.base}{path}"
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        typed = {} if body is None else {"Content-Type": "application/json"}
        call = HttpCall(method, address, {**typed, **self.headers(), **(headers or {})}, content)
        try:
            answer = self.client.send(call)
        except TransientError as error:
            raise LostAnswerError(str(error), retry_after=error.retry_after) from None
        if answer.status in expected:
            return answer
        raise self.translate(answer, f"{method} {address.partition('?')[0]}")


def translate_status(
    answer: HttpAnswer, text: str, remedies: Mapping[int, str], wait: float | None = None
) -> ActionError:
    """The error for a status: `wait` are the seconds of a limit that passes, None without a limit.

    `text` says what the service answered; `remedies` what to do, by status.
    """
    if wait is not None:
        return TransientError(text, retry_after=wait)
    if answer.status >= 500 or answer.status == 408:
        return LostAnswerError(text, retry_after=read_wait(answer))
    remedy = remedies.get(answer.status)
    return refuse_answer(f"{text}; {remedy}" if remedy else text, answer)


@contextmanager
def read_accepted_answer(what: str) -> Iterator[None]:
    """Put this around reading the answer to an accepted request: one that cannot be read is a lost one."""
    try:
        with translate_errors(what):
            yield
    except TransientError as error:
        raise LostAnswerError(str(error)) from None


def add_query(path: str, query: Mapping[str, Any] | None) -> str:
    """The path with a query."""
    return f"{path}?{urlencode(query)}" if query else path
