"""Scoring one deployment of an online endpoint over plain HTTPS.

Azure ML's SDK is not used: its `invoke()` leaks the header that names the deployment into later calls.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mlevents.errors import TransientError
from mlevents.services.azure import PATIENCE
from mlevents.services.importing import importing
from mlevents.services.sdk_errors import clean, translated

if TYPE_CHECKING:
    from azure.core import PipelineClient

DEPLOYMENT = "azureml-model-deployment"
AWAKENING = frozenset({408, 429, 502, 503, 504})
"""Statuses of a deployment that does not answer for the moment; 424 is its model's own failure."""
LONGEST_BODY = 100_000
LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Score:
    """What a deployment answered, and in how many seconds; `body` is None for what is no JSON."""

    status: int
    seconds: float
    body: Any
    text: str


def score(
    uri: str, token: str, deployment: str, request: Any, clock: Callable[[], float] = time.perf_counter
) -> Score:
    """One request to one deployment alone; raises TransientError while it does not answer at all."""
    with importing():
        from azure.core.rest import HttpRequest

    headers = {"Authorization": f"Bearer {token}", DEPLOYMENT: deployment, "Accept": "application/json"}
    what = f"scoring deployment '{deployment}'"
    with translated(what):
        began = clock()
        response = _http().send_request(HttpRequest("POST", uri, json=request, headers=headers))
        seconds = clock() - began
    text = response.content[:LONGEST_BODY].decode("utf-8", "replace")
    if response.status_code in AWAKENING:
        raise TransientError(f"{what}: it answered {response.status_code}: {clean(text)[:LONGEST_QUOTE]}")
    return Score(response.status_code, seconds, _parsed(text), clean(text)[:LONGEST_QUOTE])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


@cache
def _http() -> PipelineClient[Any, Any]:
    with importing():
        from azure.core import PipelineClient

    return PipelineClient("", policies=[], **PATIENCE)  # no redirects: a key goes to one address
