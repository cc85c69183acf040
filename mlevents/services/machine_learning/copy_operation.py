"""The copying of a model into a registry, as its status URL tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Self

from mlevents.errors import RefusedError
from mlevents.services.answer_fields import require_object
from mlevents.services.arm_client import ArmClient
from mlevents.services.paging import same_origin
from mlevents.services.sdk_errors import clean_text, translate_errors

STATUS_HEADERS = ("Azure-AsyncOperation", "Location")
"""Where an accepted request says that its status is; the first is preferred, as azure-core does."""
UNREADABLE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


class CopyState(StrEnum):
    """How far a copy is; `unknown` where its status cannot be read: the registry shows the model then."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


STATES = {
    "succeeded": CopyState.SUCCEEDED,
    "failed": CopyState.FAILED,
    "canceled": CopyState.FAILED,
    "cancelled": CopyState.FAILED,
}


@dataclass(frozen=True, slots=True)
class CopyOperation:
    """A copy under way, or ended; `reason` says why it failed.

    `status_url` is empty where the answer to the request named none.
    """

    status_url: str = ""
    state: CopyState = CopyState.UNKNOWN
    reason: str = ""

    @classmethod
    def accepted(cls, headers: Mapping[str, str]) -> Self:
        """From the answer to the request."""
        named = {name.lower(): value for name, value in headers.items()}
        return cls(next((named[one.lower()] for one in STATUS_HEADERS if one.lower() in named), ""))

    def read(self, client: ArmClient, hosts: Sequence[str]) -> CopyOperation:
        """The operation as it is now; a token goes to these hosts only."""
        if not any(same_origin(self.status_url, host) for host in hosts):
            return self
        try:
            with translate_errors("reading the status of the copy"):
                answer = client.send("GET", self.status_url)
                answer.raise_for_status()
                if answer.status_code == HTTPStatus.ACCEPTED:
                    return replace(self, state=CopyState.RUNNING)
                if answer.status_code == HTTPStatus.NO_CONTENT:
                    return replace(self, state=CopyState.SUCCEEDED)
                return self._judge(require_object(answer.json(), "the status"))
        except RefusedError as refusal:
            if refusal.status in UNREADABLE:
                return self
            return replace(
                self, state=CopyState.FAILED, reason=refusal.answer
            )  # at the address of the result

    def _judge(self, body: Mapping[str, Any]) -> CopyOperation:
        told = str(body.get("status") or "Succeeded").casefold()  # without it, this is the result itself
        error = require_object(body.get("error") or {}, "error")
        reason = clean_text(f"{error.get('code')}: {error.get('message')}") if error else ""
        return replace(self, state=STATES.get(told, CopyState.RUNNING), reason=reason)
