"""The terms of an approval, of a rule or of a phase: who is asked, who may approve, until when."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from mlevents.duration import PositiveDuration
from mlevents.services.connection import ConnectionName
from mlevents.yamlfile.described_model import DescribedModel

APPROVE, REJECT = "approve", "reject"
DECISION_VERBS = (APPROVE, REJECT)
"""The verbs with which a person decides."""
NEEDS_SIGN_IN = "it holds behind Entra sign-in alone: without it, the app counts no approval of this rule"
_MOST_APPROVERS, _LONGEST_APPROVER, _MOST_RECEIVERS = 20, 128, 10
APPROVERS_UNITS = 1000
"""Characters of JSON of all approvers together: they are stored in the custom status, which is small."""


def _check_approver(text: str) -> str:
    if not text.strip() or text != " ".join(text.split()):
        raise ValueError(
            f"'{text}' names nobody: write a sign-in name, an object id of a person or group, or an app role"
        )
    return text


def _check_approvers(names: list[str]) -> list[str]:
    if (units := len(json.dumps(names))) > APPROVERS_UNITS:
        raise ValueError(
            f"the names have {units:,} characters of JSON, at most {APPROVERS_UNITS:,} are possible: "
            "write the object id of a group"
        )
    return names


Approver = Annotated[str, Field(max_length=_LONGEST_APPROVER), AfterValidator(_check_approver)]
AskedConnection = Annotated[str, ConnectionName()]


class ApprovalTerms(DescribedModel):
    """Who is asked for an approval, who may give it, and how long it is waited for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    ask: AskedConnection | Annotated[list[AskedConnection], Field(min_length=1, max_length=_MOST_RECEIVERS)]
    """name the connections that receive the link: one, or a list."""
    within: PositiveDuration
    """How long a decision is waited for; without one, the answer is no."""
    by: (
        Annotated[
            list[Approver],
            Field(min_length=1, max_length=_MOST_APPROVERS),
            AfterValidator(_check_approvers),
        ]
        | None
    ) = None
    """Who may approve: sign-in names, object ids of people or groups, app roles. It needs Entra sign-in."""
    not_by: Literal["author"] | None = None
    """`author`: who registered the model may not approve it. It needs Entra sign-in."""

    @property
    def receivers(self) -> list[str]:
        """The connections that are asked, each once."""
        return [self.ask] if isinstance(self.ask, str) else list(dict.fromkeys(self.ask))


def find_people_terms(written: object) -> Iterator[tuple[str, str]]:
    """The terms that name people, each with the warning of what they need."""
    for name in ("by", "not_by"):
        if isinstance(written, Mapping) and written.get(name):
            yield name, NEEDS_SIGN_IN
