"""What health costs, and what a delivery in a disabled app is counted as."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlevents import telemetry
from mlevents.errors import RulesError
from mlevents.handlers import app_state, delivery
from mlevents.rules.extensions import use_extensions
from mlevents.telemetry import Delivery


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The app's folder, with nothing loaded yet."""
    monkeypatch.setenv("AzureWebJobsScriptRoot", str(tmp_path))
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)
    yield tmp_path
    forget()


def forget() -> None:
    app_state.settings.cache_clear()
    app_state.load_rules_once.cache_clear()
    app_state.failures.clear()


def test_health_never_reads_a_broken_file_again_and_a_delivery_does(app: Path):
    forget()
    file = app / "rules.yaml"
    file.write_text("version: 2\n")
    told = app_state.problems()
    assert told
    file.write_text("version: 1\nrules: []\n")
    assert app_state.problems() == told
    assert app_state.rules().rules == ()
    assert app_state.problems() == []
    file.unlink()
    assert app_state.problems() == []


def test_each_delivery_tries_a_broken_file_again(app: Path):
    forget()
    for text in ("version: 2\n", "version: 3\n"):
        (app / "rules.yaml").write_text(text)
        with pytest.raises(RulesError, match=text.strip()[-1]):
            app_state.rules()


class NoClient:
    """Nothing is asked of it."""


@pytest.mark.parametrize(("mode", "outcome"), [("disabled", "disabled"), ("live", "unmatched")])
def test_a_disabled_app_is_no_app_without_a_match(
    app: Path, mode: str, outcome: str, monkeypatch: pytest.MonkeyPatch
):
    (app / "rules.yaml").write_text("version: 1\nrules: []\n")
    monkeypatch.setenv("MLEVENTS_MODE", mode)
    forget()
    seen: list[Delivery] = []
    began = telemetry.trace_delivery

    def watched() -> Any:
        context = began()
        enter = context.__enter__

        class Watched:
            def __enter__(self) -> Delivery:
                seen.append(enter())
                return seen[-1]

            def __exit__(self, *error: Any) -> Any:
                return context.__exit__(*error)

        return Watched()

    monkeypatch.setattr(telemetry, "trace_delivery", watched)
    event = {"id": "1", "eventType": "Contoso.Sale", "subject": "s", "topic": "t", "data": {}}
    asyncio.run(delivery.deliver(json.dumps(event), NoClient()))  # type: ignore[arg-type]
    assert [one.outcome for one in seen] == [outcome]


OWN_OPERATOR = """\
from mlevents.conditions.condition import Condition, operator

@operator("odd")
class Odd(Condition):
    def __init__(self, operand: object) -> None:
        self.operand = operand

    def holds(self, value: object) -> bool:
        return value.nothing
"""
REGISTERED = {
    "id": "1",
    "topic": "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/ml",
    "subject": "models/churn:3",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-01-01T00:00:00Z",
    "data": {"modelName": "churn", "modelVersion": "3", "modelTags": {}},
}
ODD_RULES = """\
version: 1
rules:
  - id: one
    event: model.registered
    where: {model: {name: {odd: x}}}
    do: [{uses: run_ml_pipeline, with: {component: "train:1"}}]
"""


def test_an_operator_that_raises_makes_health_red_at_its_line(app: Path):
    forget()
    (app / "extensions").mkdir()
    (app / "extensions" / "odd.py").write_text(OWN_OPERATOR)
    (app / "rules.yaml").write_text(ODD_RULES)
    assert app_state.problems() == []
    for _ in range(2):
        with pytest.raises(RulesError):
            asyncio.run(delivery.deliver(json.dumps(REGISTERED), NoClient()))  # type: ignore[arg-type]
    [problem] = app_state.problems()
    assert "extensions/odd.py:9:16: AttributeError: " in problem
    use_extensions(app / "nowhere" / "rules.yaml")
