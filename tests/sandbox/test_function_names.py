"""Names of functions: the host's index ignores case, and refuses what only case tells apart."""

import asyncio

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.host.functions_host import FunctionsHost
from sandbox.worker.function import WorkerError, check_names
from tests.sandbox.small_sandbox import APPS, on_loop

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")


def test_a_host_with_colliding_names_never_starts_and_answers_503_to_everything():
    host = FunctionsHost(APPS / "colliding", "colliding_app.py")
    with on_loop() as loop:
        run = lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(30)  # noqa: E731
        run(host.open())
        try:
            with pytest.raises(WorkerError) as refused:
                run(host.start())
            answers = [
                requests.request(method, host.url + path, timeout=5)
                for method, path in [
                    ("GET", "/"),
                    ("GET", "/api/answer"),
                    ("POST", "/runtime/webhooks/eventgrid?functionName=Answer"),
                    ("OPTIONS", "/runtime/webhooks/eventgrid?functionName=Answer"),
                ]
            ]
        finally:
            run(host.stop())
    said = str(refused.value)
    assert "Method overloads are not supported. There are multiple methods with the name" in said
    assert "'Host.Functions.answer'" in said
    assert "Sequence contains more than one matching element" in said
    assert [(one.status_code, one.text) for one in answers] == [(503, "Function host is not running.")] * 4


@given(st.lists(st.sampled_from(["A", "a", "B", "straße", "STRASSE", "b2"]), unique=True))
def test_names_are_refused_exactly_when_two_are_equal_without_case(names: list[str]):
    collide = len({name.casefold() for name in names}) < len(names)
    if collide:
        with pytest.raises(WorkerError):
            check_names(names)
    else:
        check_names(names)
