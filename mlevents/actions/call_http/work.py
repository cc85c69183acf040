"""Work that a service goes on with after its answer: where to look for it, and when it has ended."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from mlevents.actions.action import Done, Pending
from mlevents.actions.call_http.answer_values import read_json_path, read_json_paths
from mlevents.actions.call_http.parameters import Wait
from mlevents.duration import format_duration
from mlevents.errors import PermanentError, RefusedError
from mlevents.orchestration.callback import name_callback
from mlevents.services.http.answers import LONGEST_KEPT, read_json_answer, read_wait, refuse_answer
from mlevents.services.http.http_client import HttpAnswer
from mlevents.services.redaction import redact

FIRST_LOOK_AFTER, LONGEST_LOOK_AFTER = 5.0, 300.0
"""Seconds between two looks: half of what was waited so far, between these."""
LOCATIONS = ("operation-location", "azure-asyncoperation", "location")
"""Headers that say where to look, the most exact one first."""


def find_location(answer: HttpAnswer, place: str) -> str:
    """The address to poll; raises PermanentError for none, and for one at another host."""
    location = next((answer.headers[name] for name in LOCATIONS if name in answer.headers), None)
    if location is None:
        raise PermanentError(
            f"{place} answered {answer.status} without a header Location: remove `wait`, "
            "or have the service say where to look"
        )
    target = urljoin(answer.address, location)
    if urlsplit(target)[:2] != urlsplit(answer.address)[:2]:
        raise PermanentError(f"{place}: its Location is on another host, {target}: it is not called")
    return target


def wait_for_work(wait: Wait, answer: HttpAnswer, said: str, before: Mapping[str, Any]) -> Pending:
    """Look again later, at first after seconds; raises PermanentError when the work takes too long.

    `before` is the progress of the look before this one; its `waited` are the seconds in all.
    """
    waited = float(before.get("waited", 0.0))
    if waited >= wait.timeout:
        raise PermanentError(f"gave up after {format_duration(wait.timeout)}: {said}")
    pause = max(read_wait(answer) or 0.0, min(FIRST_LOOK_AFTER + waited / 2, LONGEST_LOOK_AFTER), 1.0)
    pause = min(pause, wait.timeout - waited)
    return Pending(said, pause, {**before, "waited": waited + pause}, exact=True)


def await_callback(wait: Wait, step: str, said: str) -> Pending:
    """Wait for the service's call back, as long as the work may take."""
    name = name_callback(step)
    return Pending(f"{said}; waits for its callback", wait.timeout, {"awaits": name}, exact=True, awaits=name)


def end_by_callback(wait: Wait, result: Mapping[str, str], progress: Mapping[str, Any]) -> Done:
    """What the service called back with; raises PermanentError for work that failed or took too long."""
    if "message" not in progress:
        raise PermanentError(f"gave up after {format_duration(wait.timeout)}: the service did not call back")
    document = json.loads(progress["message"])
    status = document.get("status")
    if str(status).casefold() in map(str.casefold, wait.fail):
        kept = redact(str(progress["message"]))[:LONGEST_KEPT]
        report = {"status": status, "answer": kept}
        raise RefusedError(f"the work ended as '{status}'", status=200, answer=kept, report=report)
    return Done("the service called back", {**read_json_paths(result, document), "status": status})


def read_work_status(wait: Wait, answer: HttpAnswer) -> str | None:
    """The status in an answer, None where it has none."""
    found = read_json_path(wait.poll, read_json_answer(answer)) if wait.poll and answer.content else None
    return None if found is None else str(found)


def has_work_ended(wait: Wait, answer: HttpAnswer) -> bool:
    """Whether the work has ended well; raises RefusedError when it has failed."""
    status = (read_work_status(wait, answer) or "").casefold()
    if status in map(str.casefold, wait.fail):
        raise refuse_answer(f"the work ended as '{read_work_status(wait, answer)}'", answer)
    return status in map(str.casefold, wait.until or ())
