"""A person must approve before the response acts; a rejection, or no answer in time, stops it.

```yaml
approve: {ask: [mlops-email, mlops-teams], within: 8h, by: [ml-leads@example.com], not_by: author}
```

Each connection in `ask` receives a link to a page that shows what would happen and why, with the buttons
Approve and Reject. `by` and `not_by` need Entra sign-in: without it, the app cannot know who decides, so it
counts no approval where one of them is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from mlevents.duration import format_duration
from mlevents.events import Event
from mlevents.gates.approve.link import ApprovalSubject
from mlevents.gates.approve.request import (
    ApprovalMessage,
    ask_for_approval,
    begin_approval,
    describe_steps,
)
from mlevents.gates.approve.terms import APPROVE, DECISION_VERBS, ApprovalTerms, find_people_terms
from mlevents.gates.gate import Gate, Preview, gate
from mlevents.gates.visit import GateMessage, GateVisit, Objection, Visiting
from mlevents.services.permission import MODEL_READS, READER, WORKSPACE_SCOPE, Permission
from mlevents.yamlfile.positions import PathProblem

if TYPE_CHECKING:
    from mlevents.services.services import Services

_PLACE = "approve"
_BEGIN, _ASK = "begin", "ask"
_FIRST_RETRY, _LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=1)
"""After how long a receiver is tried again that could not be notified."""
_NO_MODEL = "the events of this rule name no model, so it has no author: use it with model.registered"


@gate("approve")
class Approve(ApprovalTerms, Gate):
    """A person must approve before the response acts."""

    position = 100
    stage = "response"
    listens = DECISION_VERBS
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(WORKSPACE_SCOPE, READER, MODEL_READS, ("not_by",)),
    )

    @property
    def permission_parameters(self) -> Mapping[str, Any]:
        return self.model_dump()

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:
        if isinstance(written, Mapping) and written.get("not_by") and "model" not in names:
            yield "not_by", _NO_MODEL

    @classmethod
    def find_warnings(cls, written: object) -> Iterator[PathProblem]:
        return find_people_terms(written)

    def preview(self, event: Event, now: datetime) -> Preview:  # noqa: ARG002 - it is the same for all
        who = f" by {', '.join(self.by)}" if self.by else ""
        author = ", not by the model's author" if self.not_by else ""
        asked = ", ".join(self.receivers)
        return (
            None,
            f": asks {asked} for an approval{who}{author}, and waits for {format_duration(self.within)}",
        )

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        until = visit.now + timedelta(seconds=self.within)
        subject = ApprovalSubject(visit.attempt, _PLACE, visit.plan)
        begun = yield from visit.read({"do": _BEGIN})
        asking = {"do": _ASK, "nonce": begun["nonce"], "subject": [*astuple(subject)]}
        asking |= {"message": list(self._write(visit, until)), "receivers": self.receivers}
        about = {"key": subject.key, "place": _PLACE, "by": self.by, "not_by": self.not_by}
        about |= {"author": begun.get("author")}
        pause, has_asked = _FIRST_RETRY, False
        while True:
            again = None
            if asking["receivers"]:
                said = yield from visit.read(asking)
                has_asked = has_asked or bool(said["sent"])
                about |= {"hash": said["hash"]}
                asking |= {"receivers": list(said["late"])}
                again = visit.now + pause if said["late"] else None
                if not (has_asked or said["late"]):
                    return Objection(f"nobody could be asked: {_join(said['refused'])}", notify=True)
            message = yield from visit.wait(until, self._reason(), about, again)
            if message and message.id.endswith(subject.key):
                return self._settle(visit, message)
            if visit.now >= until:
                within = format_duration(self.within)
                return Objection(f"nobody decided within {within}", notify=True)
            pause = min(2 * pause, _LONGEST_RETRY)

    def _settle(self, visit: GateVisit, message: GateMessage) -> Objection | None:
        comment = f": {message.reason}" if message.reason else ""
        if message.verb == APPROVE:
            visit.record(f"approved by {message.by}{comment}")
            return None
        return Objection(f"rejected by {message.by}{comment}")

    def _reason(self) -> str:
        return f"asked {', '.join(self.receivers)} for an approval"

    def _write(self, visit: GateVisit, until: datetime) -> Iterator[Any]:
        """The fields of the message, as JSON."""
        event, model = visit.event, visit.event.names.get("model") or {}
        about = f"{model['name']}:{model.get('version')}" if model.get("name") else event.subject
        yield from (visit.response, visit.rule, about, f"{event.type}, {event.subject}"[:1000])
        yield list(describe_steps(visit.steps, event.names))
        yield until.isoformat()

    def read(
        self, names: Mapping[str, Any], document: Mapping[str, Any], services: "Services", /
    ) -> Mapping[str, Any]:
        if document["do"] == _BEGIN:
            return begin_approval(names, self.not_by is not None, services)
        subject = ApprovalSubject(*document["subject"])
        message = replace(ApprovalMessage(*document["message"]), names=names)
        return ask_for_approval(subject, document["nonce"], message, document["receivers"], services)


def _join(refused: Mapping[str, str]) -> str:
    return "; ".join(f"'{receiver}' {words}" for receiver, words in refused.items())
