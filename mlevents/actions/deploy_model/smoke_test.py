"""The smoke test: one request to only the new deployment, and the check of its answer."""

from collections.abc import Callable, Iterator
from typing import Any

from mlevents.actions.action import Done, Outcome
from mlevents.actions.deploy_model.answer_body import find_unexpected_values
from mlevents.actions.deploy_model.parameters import SmokeTest
from mlevents.actions.deploy_model.target import RolloutTarget
from mlevents.actions.documents import parse_json
from mlevents.errors import PermanentError
from mlevents.services.scoring import ScoringAnswer, ScoringTarget
from mlevents.services.services import Services


def smoke_test(
    target: RolloutTarget, test: SmokeTest | None, services: Services, fill: Callable[[Any], Any]
) -> Outcome:
    """Send one request; raises PermanentError for an unexpected answer.

    `fill` puts the event's values into a request from a file.
    """
    if test is None:
        return Done("no smoke test")
    state = target.read_endpoint()
    target.check_deployment(target.read_deployment())
    place = ScoringTarget(state.scoring_uri, target.endpoints.token(state), target.deployment)
    answer = services.score(place, build_scoring_request(test, services, fill))
    wrong = list(find_unexpected(test, answer))
    if wrong:
        raise PermanentError(
            f"smoke test of '{target.deployment}': {'; '.join(wrong)}; it answered: {answer.text}"
        )
    return Done(f"smoke test: {answer.status} in {answer.seconds * 1000:.0f} ms")


def build_scoring_request(test: SmokeTest, services: Services, fill: Callable[[Any], Any]) -> Any:
    """The request's JSON."""
    if isinstance(test.request, str):
        return fill(read_request(test.request, services.read))
    return test.request


def find_unexpected(test: SmokeTest, answer: ScoringAnswer) -> Iterator[str]:
    """The differences from the expected answer, as text."""
    if answer.status != test.status:
        yield f"status {answer.status}, not {test.status}"
        return
    if test.latency is not None and answer.seconds > test.latency:
        yield f"{answer.seconds * 1000:.0f} ms, more than {test.latency * 1000:g} ms"
    yield from find_unexpected_values(answer.body, test.body)


def read_request(name: str, read: Callable[[str], str]) -> Any:
    """The JSON of a request file; raises PermanentError for an invalid file."""
    return parse_json(name, read(name))


def check_request(test: SmokeTest, read: Callable[[str], str]) -> None:
    """Look, when the rules load, through the file of a request; raises PermanentError."""
    if isinstance(test.request, str) and "${" not in test.request:
        read_request(test.request, read)
