"""What an answer means for a call: success, a retry, or a refusal whose text is kept."""

from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mlevents.errors import RefusedError, TransientError
from mlevents.services.http.http_client import HttpAnswer, is_transient
from mlevents.services.redaction import redact
from mlevents.services.sdk_errors import clean_text, read_retry_after

LONGEST_KEPT = 2048
"""Characters of a refused answer that are kept in the response."""
QUOTED = 200


def require_status(answer: HttpAnswer, place: str, expected: Collection[int]) -> None:
    """Raise TransientError or RefusedError for another status; `place` is what was called."""
    if answer.status in expected:
        return
    said = clean_text(answer.text[:LONGEST_KEPT])[:QUOTED]
    text = f"{place} answered {answer.status}: {said or 'nothing'}"
    if is_transient(answer.status):
        raise TransientError(text, retry_after=read_wait(answer))
    raise refuse_answer(text, answer)


def refuse_answer(text: str, answer: HttpAnswer) -> RefusedError:
    """The error for an answer that fails the step, with the beginning of it."""
    kept = redact(answer.text[: 4 * LONGEST_KEPT])[:LONGEST_KEPT]
    report = {"status": answer.status, "answer": kept}
    return RefusedError(text, status=answer.status, answer=kept, report=report)


def read_json_answer(answer: HttpAnswer) -> Any:
    """The answer as JSON; raises RefusedError for another one."""
    try:
        return answer.read_json()
    except (ValueError, RecursionError):
        raise refuse_answer(f"the answer {answer.status} is not JSON", answer) from None


def read_wait(answer: HttpAnswer) -> float | None:
    """The seconds that the service asks to wait."""
    return read_retry_after(answer.headers, lambda: datetime.now(UTC))


def read_answer_time(answer: HttpAnswer) -> datetime:
    """The time at which the service answered, aware; ours where it does not say."""
    try:
        return parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return datetime.now(UTC)
