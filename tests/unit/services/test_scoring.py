"""One request to one deployment: what is an answer, and what is a model that is not ready yet."""

from collections.abc import Callable
from itertools import count

import pytest

from mlevents.errors import PermanentError, TransientError
from mlevents.services import scoring
from mlevents.services.scoring import ScoringAnswer, ScoringTarget, score_deployment
from tests.unit.stand_ins import Answer, Request, Server


def scored(
    answer: Answer, mark: str = "", clock: Callable[[], float] | None = None
) -> tuple[ScoringAnswer, Request]:
    with Server(lambda _: answer, None).serving() as server:
        place = ScoringTarget(f"{server.url}/score", "key", "net-9", mark)
        found = score_deployment(place, {"input_data": [[1]]}, **({"clock": clock} if clock else {}))
        return found, server.requests[0]


def test_the_request_names_the_deployment_and_only_a_probe_is_marked() -> None:
    found, request = scored(Answer(body={"predictions": [0.5]}), clock=count(10.0, 0.25).__next__)
    assert found == ScoringAnswer(200, 0.25, {"predictions": [0.5]}, '«{"predictions": [0.5]}»')
    assert request.headers["azureml-model-deployment"] == "net-9"
    assert request.headers["Authorization"] == "Bearer key"
    assert request.headers["x-mlevents-probe"] is None
    assert scored(Answer(body=1), mark="rule.abc")[1].headers["x-mlevents-probe"] == "rule.abc"


def test_an_answer_of_several_megabytes_is_whole_json() -> None:
    long = {"scores": ["0123456789" * 10] * 20_000, "last": 7}
    found, _ = scored(Answer(body=long))
    assert found.body == long
    assert len(found.text) <= 200


def test_an_answer_beyond_the_bound_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "LONGEST_BODY", 3_000_000)
    with pytest.raises(PermanentError, match="'net-9': the answer is longer than 3 MB: request less"):
        scored(Answer(body="x" * 3_000_001))


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_model_that_warms_up_takes_time_and_no_attempts(status: int) -> None:
    with pytest.raises(TransientError, match=f"'net-9': it answered {status}") as caught:
        scored(Answer(status, {"error": "not ready"}))
    assert caught.value.busy


def test_a_connection_that_fails_takes_time_and_no_attempts() -> None:
    with pytest.raises(TransientError) as caught:
        scored(Answer(drop=True))
    assert caught.value.busy


@pytest.mark.parametrize("status", [200, 400, 401, 404, 424])
def test_other_statuses_are_answers(status: int) -> None:
    assert scored(Answer(status, {}))[0].status == status


def test_an_answer_that_is_no_json_has_no_body() -> None:
    assert scored(Answer(body=None))[0].body is None
    deep = "[" * 100_000
    assert scoring._parsed(deep) is None


def test_an_answer_with_a_byte_order_mark_is_json() -> None:
    assert scored(Answer(raw=b"\xef\xbb\xbf[1]"))[0].body == [1]
