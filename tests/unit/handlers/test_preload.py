"""A worker that waits for its first event loads what the first response needs."""

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import azure.functions as func
import pytest

from mlevents import register
from mlevents.errors import ConfigError
from mlevents.handlers import app_state, preload
from mlevents.rules import file
from sandbox.sandbox_process import ROOT

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
RULES = f"""
version: 1
workspaces: {{w: "{WORKSPACE}"}}
rules:
  - id: deploy
    event: model.registered
    do: [{{uses: deploy_model, with: {{template: small.yaml, endpoint: fraud}}}}]
"""
TEMPLATE = "instance_type: Standard_DS3_v2\ninstance_count: 1\n"
FIRST_RESPONSE = """
import sys
import function_app
from mlevents.handlers import preload
preload.preload()
before = set(sys.modules)
import mlevents.handlers.delivery, mlevents.responses.respond, mlevents.responses.step_activity
import mlevents.actions.deploy_model.roll_out_model_orchestrator, mlevents.orchestration.endpoint_lease
import azure.identity, azure.core.rest, azure.mgmt.core.policies, requests
print(*sorted(set(sys.modules) - before))
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The app's folder with rules, in a process that has loaded nothing yet."""
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "small.yaml").write_text(TEMPLATE)
    monkeypatch.setenv("AzureWebJobsScriptRoot", str(tmp_path))
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)
    restart()
    yield tmp_path
    restart()


def restart() -> None:
    for one in (app_state.settings, app_state.load_rules_once, app_state.outline, preload.start_preload):
        one.cache_clear()
    app_state.failures.clear()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that have loaded the rules."""
    found: list[str] = []
    load: Callable[..., object] = file.load_rules

    def load_and_note(*values: object) -> object:
        found.append(threading.current_thread().name)
        return load(*values)

    monkeypatch.setattr(file, "load_rules", load_and_note)
    return found


def wait_for_preload() -> None:
    for one in threading.enumerate():
        if one.name == "preload":
            one.join()


def test_a_worker_loads_its_rules_while_it_waits(
    app: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(preload, "IDLE_SECONDS", 0.0)

    async def start_worker() -> None:
        register(func.FunctionApp())
        assert not loads
        await asyncio.sleep(0.01)

    asyncio.run(start_worker())
    wait_for_preload()
    assert loads == ["preload"]
    assert app_state.are_rules_loaded()


def test_a_process_that_is_no_worker_loads_nothing(app: Path, loads: list[str]):
    register(func.FunctionApp())
    assert not preload.start_preload.cache_info().currsize
    assert not loads


def test_a_delivery_waits_for_the_rules_that_are_being_loaded(
    app: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
):
    asked = threading.Event()
    load: Callable[..., object] = file.load_rules

    def load_once_asked(*values: object) -> object:
        assert asked.wait(10)
        return load(*values)

    monkeypatch.setattr(file, "load_rules", load_once_asked)
    preload.start_preload()
    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(app_state.rules)
        assert wait([delivery], 0.02).not_done
        asked.set()
        assert [rule.id for rule in delivery.result(10).rules] == ["deploy"]
    wait_for_preload()
    assert loads == ["preload"]


def test_broken_rules_are_reported_by_whoever_needs_them(app: Path):
    (app / "rules.yaml").write_text(RULES.replace("deploy_model", "deploy_modl"))
    preload.preload()
    assert "deploy_modl" in "\n".join(app_state.problems())
    with pytest.raises(ConfigError, match="deploy_modl"):
        app_state.rules()
    (app / "rules.yaml").write_text(RULES)
    assert app_state.rules().rules


def test_no_garbage_is_collected_meanwhile(app: Path, monkeypatch: pytest.MonkeyPatch):
    collects: list[bool] = []
    monkeypatch.setattr(preload, "load_function", lambda _: collects.append(gc.isenabled()))
    preload.preload()
    assert app_state.are_rules_loaded()
    assert set(collects) == {False}
    assert gc.isenabled()


def test_the_first_response_imports_nothing_more(app: Path):
    text = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{FIRST_RESPONSE}"
    done = subprocess.run([sys.executable, "-c", text], cwd=app, capture_output=True, check=True, text=True)
    assert done.stdout.split() == []
