"""The parameters of `call_http`, and what is wrong with them when rules load."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from mlevents.actions.call_http.answer_values import OWN_RESULTS, parse_json_path
from mlevents.duration import PositiveDuration
from mlevents.services.http.connection import HEADER_NAME, OWN_HEADERS, SECRET_HEADERS
from mlevents.yamlfile.key_choice import KeyChoice, KeyChoiceModel

ExpectedStatus = Annotated[int, Field(ge=100, le=599)]
ONE_DAY = 86_400.0
SUCCESS = tuple(range(200, 300))


def _path(text: str) -> str:
    parse_json_path(text)
    return text


Path = Annotated[str, AfterValidator(_path)]
"""A JSONPath such as `$.status`."""


def check_results(results: dict[str, str]) -> dict[str, str]:
    """Raise ValueError for a name that the action sets itself."""
    for name in results:
        if name in OWN_RESULTS:
            raise ValueError(f"'{name}' is the answer's HTTP status: choose another name")
    return results


def check_call_headers(headers: dict[str, str]) -> dict[str, str]:
    """Raise ValueError for a header that a step must not set."""
    for name in headers:
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"'{name}' is not a valid name for a header: use letters, digits and '-'")
        if name.lower() in OWN_HEADERS:
            raise ValueError(f"the header '{name}' is set by mlevents: leave it out")
        if SECRET_HEADERS.search(name):
            raise ValueError(f"the header '{name}' holds a secret: write it in the connection's `headers`")
    return headers


class Wait(KeyChoiceModel):
    """How the end of work is found that the service does after its answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    key_choices = (KeyChoice("callback", optional=("field",)), KeyChoice("poll", "until"))

    callback: Literal[True] | None = None
    """The service calls back: the call has the header `Mlevents-Callback-Url`, an address that works once."""
    field: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    """Puts the address of the callback under this key into `json` too."""
    poll: Path | None = None
    """write the JSONPath of the status in the answers to polling, such as `$.status`."""
    until: Annotated[list[str] | None, Field(min_length=1)] = None
    """list the statuses that end the wait well, such as `[done]`; case does not matter."""
    fail: list[str] = Field(default=["failed", "error", "canceled", "cancelled"])
    """The statuses that fail the step; of a callback, those under `status` in its body."""
    timeout: PositiveDuration = ONE_DAY
    """How long the work may take."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if both := {one.casefold() for one in self.until or ()} & {one.casefold() for one in self.fail}:
            raise ValueError(f"'{min(both)}' is in `until` and in `fail`: remove it from one of them")
        return self
