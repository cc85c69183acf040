"""Histories that earlier releases recorded are replayed against today's orchestrators.

A failure here means: an instance that runs now would break off after the next release. See "Changing an
orchestrator" in docs/adding-an-element.md.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from azure.functions.decorators.function_app import Function

from function_app import app
from mlevents.orchestration.versions import CURRENT
from tests.histories.__main__ import FOLDER
from tests.histories.recorder import ORCHESTRATORS, completion, ending, read, turn
from tests.histories.scenes import RECORDINGS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:azure.functions")
FILES = sorted(FOLDER.glob("*.json"))


def replayed(file: Path, orchestrator: Callable[..., Any] | None = None) -> tuple[str, str]:
    """How a history ended when it was recorded, and how it ends with this orchestrator, or today's."""
    name, turns, end = read(file.read_text())
    [started] = [event for event in turns[0] if event.HasField("executionStarted")]
    instance = started.executionStarted.orchestrationInstance.instanceId
    done = completion(turn(orchestrator or ORCHESTRATORS[name], instance, turns))
    return end, "still running" if done is None else ending(done)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_todays_code_replays_what_an_earlier_release_recorded(file: Path) -> None:
    recorded, today = replayed(file)
    assert today == recorded


def triggered(one: Function) -> str | None:
    trigger = one.get_trigger()
    return trigger.type if trigger else None


def orchestrators() -> set[str]:
    """The names of all in the app, as the Functions host finds them."""
    indexed = app.get_functions()
    return {str(one.get_function_name()) for one in indexed if triggered(one) == "orchestrationTrigger"}


def test_every_orchestrator_has_histories_of_the_current_version() -> None:
    found = {read(file.read_text())[0] for file in FILES if file.name.startswith(f"v{CURRENT}-")}
    assert found == orchestrators()
    assert len(FILES) >= len(RECORDINGS)


@pytest.mark.parametrize("name", list(ORCHESTRATORS))
def test_an_activity_more_is_noticed(name: str) -> None:
    """The replay is able to fail: otherwise the test above says nothing."""

    def changed(context: Any, text: str) -> Generator[Any, Any, Any]:
        yield context.call_activity("FindInstances", input="[]")
        return (yield from ORCHESTRATORS[name](context, text))

    longer = [
        file for file in FILES if read(file.read_text())[0] == name and len(read(file.read_text())[1]) > 1
    ]
    ends = [replayed(file, changed)[1] for file in longer]
    assert ends
    assert all("NonDeterminismError" in end for end in ends), ends
