"""Scoring requests to one deployment of an online endpoint, over plain HTTPS.

Azure ML's SDK is not used: its `invoke()` keeps the header with the deployment's name for later calls.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mlevents.errors import PermanentError, TransientError
from mlevents.services.azure_credential import CLIENT_OPTIONS
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import clean_text, translate_errors

if TYPE_CHECKING:
    from azure.core import PipelineClient

DEPLOYMENT = "azureml-model-deployment"
PROBE = "x-mlevents-probe"
"""The header that marks a request of mlevents; its value is the response's id."""
AWAKENING = frozenset({408, 409, 429})
"""Statuses, besides 5xx, of a model that is not ready yet; 424 is a failure of the model."""
LONGEST_BODY = 10_000_000
"""The most bytes of an answer that are read."""
LONGEST_QUOTED_ANSWER, LONGEST_CLEANED = 200, 10_000
ANSWER = re.compile(r"«[^«»]*»")
"""How a message quotes the model's answer, so that it can be distinguished and removed."""


@dataclass(frozen=True, slots=True)
class ScoringAnswer:
    """The answer of a deployment, after `seconds`; `body` is None when it is not JSON.

    `text` is its beginning, within « and ».
    """

    status: int
    seconds: float
    body: Any
    text: str


@dataclass(frozen=True, slots=True)
class ScoringTarget:
    """Where to score: an endpoint's address, the key or token, and the deployment.

    `mark` is the id of the response that sends the request, for a header.
    """

    uri: str
    token: str
    deployment: str
    mark: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        own = {PROBE: self.mark} if self.mark else {}
        return {
            "Authorization": f"Bearer {self.token}",
            DEPLOYMENT: self.deployment,
            "Accept": "application/json",
            **own,
        }


def score_deployment(
    place: ScoringTarget, request: Any, clock: Callable[[], float] = time.perf_counter
) -> ScoringAnswer:
    """Send one request to exactly one deployment.

    Raises TransientError (busy, so it does not count as an attempt) while the model is not ready, and
    PermanentError for an answer that is too long.
    """
    with import_lock():
        from azure.core.rest import HttpRequest

    what = f"scoring deployment '{place.deployment}'"
    began = clock()
    try:
        with translate_errors(what):
            asked = HttpRequest("POST", place.uri, json=request, headers=place.headers)
            response = _http().send_request(asked, stream=True)
            content = _content(what, response)
    except TransientError as error:
        raise TransientError(str(error), retry_after=error.retry_after, busy=True) from error
    seconds, text, status = clock() - began, content.decode("utf-8-sig", "replace"), response.status_code
    if status in AWAKENING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        said = f"{what}: it answered {status}: {_quoted(text)}"
        raise TransientError(said, busy=True)
    return ScoringAnswer(status, seconds, _parsed(text), _quoted(text))


def _content(what: str, response: Any) -> bytes:
    """The answer's body; raises PermanentError for a body that is too long."""
    content = bytearray()
    with response:
        for part in response.iter_bytes():
            content += part
            if len(content) > LONGEST_BODY:
                size = f"{LONGEST_BODY // 1_000_000} MB"
                raise PermanentError(f"{what}: the answer is longer than {size}: request less")
    return bytes(content)


def _quoted(text: str) -> str:
    words = (
        clean_text(text[:LONGEST_CLEANED])[: LONGEST_QUOTED_ANSWER - 2].replace("«", "‹").replace("»", "›")
    )
    return f"«{words}»"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@cache
def _http() -> PipelineClient[Any, Any]:
    with import_lock():
        from azure.core import PipelineClient

    return PipelineClient(
        "", policies=[], **CLIENT_OPTIONS
    )  # no redirects: the key must go to one address only
