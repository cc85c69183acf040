"""`register`: adds mlevents to a Function App that may have functions of its own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func
import pytest
import requests

from mlevents import register
from mlevents.errors import ConfigError
from sandbox.sandbox_process import ROOT, Stage

OURS = {"ModelRegistered", "ModelDeployed", "RunCompleted", "RunStatusChanged", "DatasetDriftDetected"}
OWN_APP = """
import azure.functions as func
from mlevents import register

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route("greeting")
def greeting(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hello")

register(app)
"""
RULES = """
version: 1
connections:
  team: {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none, sender: a@b.example, to: [t@b.example]}
rules:
  - id: announce
    event: model.registered
    do: [{uses: notify, with: {to: team, subject: "${model.name}", text: registered}}]
"""  # noqa: E501


def app_with(name: str, route: str) -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.function_name(name)
    @app.route(route)
    def answer(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("hello")

    return app


@pytest.mark.parametrize("make", [func.FunctionApp, df.DFApp])
def test_every_function_is_added_to_either_kind_of_app(make: Callable[[], func.FunctionRegister]):
    app = make()
    assert register(app) is app
    assert {one.get_function_name() for one in app.get_functions()} >= OURS


def test_an_open_app_opens_only_its_own_functions():
    functions = {one.get_function_name(): one for one in register(app_with("Greet", "greet")).get_functions()}
    levels = {
        name: one.get_trigger().get_dict_repr()["authLevel"].name
        for name, one in functions.items()
        if one.is_http_function()
    }
    assert {name for name, level in levels.items() if level == "ANONYMOUS"} == {
        "Greet",
        "Console",
        "EndStep",
        "Health",
        "HealthUnversioned",
    }


@pytest.mark.parametrize(
    ("name", "route", "clash"),
    [
        ("health", "greet", "function 'health'"),
        ("Greet", "V1/Responses", "route 'v1/responses'"),
        ("Greet", "/health", "route 'health'"),
        ("modelregistered", "greet", "function 'modelregistered'"),
    ],
)
def test_a_name_that_both_have_is_refused_and_nothing_is_added(name: str, route: str, clash: str):
    app = app_with(name, route)
    with pytest.raises(
        ConfigError, match=f"already has the {clash}, and so has mlevents: give yours another"
    ):
        register(app)
    assert [one.get_function_name() for one in app.get_functions()] == [name]


def test_a_second_call_is_refused():
    app = register(func.FunctionApp())
    with pytest.raises(ConfigError, match="called twice"):
        register(app)


@pytest.mark.parametrize(
    ("given", "kind"), [(func.FunctionApp, "FunctionApp"), (df.Blueprint(), "Blueprint"), (None, "NoneType")]
)
def test_what_is_not_a_function_app_is_refused(given: object, kind: str):
    with pytest.raises(ConfigError, match=rf"register\(\) got '{kind}', which is not a Function App"):
        register(given)


def test_importing_the_package_loads_nothing_of_azure():
    program = "import sys, mlevents, json; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    loaded = json.loads(answer.stdout)
    assert "mlevents" in loaded
    assert [name for name in loaded if name.startswith(("azure", "pydantic", "mlevents.handlers"))] == []


def test_an_existing_app_keeps_its_functions_and_responds_to_events(
    tmp_path: Path, start: Callable[..., Stage]
):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function_app.py").write_text(OWN_APP)
    shutil.copy(ROOT / "host.json", folder)
    (folder / "mlevents").symlink_to(ROOT / "mlevents")
    running = start(RULES, "--app", str(folder))
    assert requests.get(f"{running.ready['functions']}/api/greeting", timeout=10).text == "hello"
    running.register("churn", "1", {})
    assert [(one["rule"], one["status"]) for one in running.settled()] == [("announce", "done")]


def test_a_host_file_that_does_not_fit_is_a_warning_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("AzureWebJobsScriptRoot", str(tmp_path))
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    register(func.FunctionApp())
    assert "extensions.durableTask.versionMatchStrategy is not set" in caplog.text


def test_our_own_host_file_starts_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("AzureWebJobsScriptRoot", str(ROOT))
    register(func.FunctionApp())
    assert caplog.text == ""
