"""Scoring one deployment of an online endpoint over plain HTTPS.

Azure ML's SDK is not used: its `invoke()` leaks the header that names the deployment into later calls.
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
"""The header that marks a request of our own; its value is the response's id."""
AWAKENING = frozenset({408, 409, 429})
"""Statuses, besides 5xx, of a model that is not ready yet; 424 is the model's own failure."""
LONGEST_BODY = 10_000_000
"""Bytes of an answer that are read."""
LONGEST_QUOTED_ANSWER, LONGEST_CLEANED = 200, 10_000
ANSWER = re.compile(r"«[^«»]*»")
"""How a model's own words stand in a message, so that they can be told from ours."""


@dataclass(frozen=True, slots=True)
class ScoringAnswer:
    """What a deployment answered, and in how many seconds; `body` is None for what is no JSON.

    `text` is the beginning of it, within « and ».
    """

    status: int
    seconds: float
    body: Any
    text: str


@dataclass(frozen=True, slots=True)
class ScoringTarget:
    """Where to score: an endpoint's address, what lets a request in, and the deployment to ask.

    `mark` says in a header that a request is our own, and for which response.
    """

    uri: str
    token: str
    deployment: str
    mark: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request there."""
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
    """One request to one deployment alone.

    Raises TransientError while its model is not ready, which takes time and no attempts, and
    PermanentError for an answer that is too long to be read.
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
    """The answer's body; raises PermanentError for one that is longer than anything a test looks at."""
    content = bytearray()
    with response:
        for part in response.iter_bytes():
            content += part
            if len(content) > LONGEST_BODY:
                raise PermanentError(
                    f"{what}: it answered with more than {LONGEST_BODY // 1_000_000} MB: let the smoke test "
                    "ask for less"
                )
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

    return PipelineClient("", policies=[], **CLIENT_OPTIONS)  # no redirects: a key goes to one address
