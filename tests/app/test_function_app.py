"""The entry point: what it registers, and what importing it costs."""

import json
import subprocess
import sys
from typing import Any

from mlevents.api.operation import operations
from sandbox.sandbox_process import ROOT

HEAVY = (
    "azure.ai.ml",
    "azure.identity",
    "azure.mgmt",
    "azure.storage",
    "azure.eventhub",
    "azure.servicebus",
    "azure.communication",
    "azure.core",
    "apprise",
)
FUNCTIONS = {"ModelRegistered", "ModelDeployed", "RunCompleted", "RunStatusChanged", "DatasetDriftDetected"}


def asked(program: str) -> Any:
    """What a fresh interpreter prints as JSON."""
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    return json.loads(answer.stdout)


def test_importing_the_app_loads_no_sdk():
    loaded = asked("import function_app, json, sys; print(json.dumps(sorted(sys.modules)))")
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_matching_an_event_loads_no_sdk():
    loaded = asked(
        "import function_app, json, sys\n"
        "from mlevents.responses.decision import decide\n"
        "from mlevents.rules.file import load_rules\n"
        "from mlevents.settings import Settings\n"
        "import os; os.environ |= {'AZURE_SUBSCRIPTION_ID': '0', 'COMMUNICATION_ENDPOINT': 'x',"
        " 'TEAMS_WORKFLOW_URL': 'y'}\n"
        "s = Settings.read(); rules = load_rules(s.rules, s)\n"
        "event = {'id': '1', 'eventType': 'Microsoft.MachineLearningServices.RunStatusChanged',"
        " 'topic': rules.workspaces['prod'], 'subject': 'experiments/e/runs/r',"
        " 'data': {'runStatus': 'Queued'}}\n"
        "from datetime import UTC, datetime\n"
        "assert decide(json.dumps(event), rules, s, datetime.now(UTC)) == []\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_the_five_event_functions_are_registered():
    names = asked(
        "import function_app, json\n"
        "functions = function_app.app.get_functions()\n"
        "kinds = {f.get_function_name(): f.get_trigger().type for f in functions}\n"
        "print(json.dumps([n for n, kind in kinds.items() if kind == 'eventGridTrigger']))"
    )
    assert set(names) == FUNCTIONS


def test_only_health_and_what_checks_itself_who_asks_answer_without_a_key():
    levels = asked(
        "import function_app, json\n"
        "triggers = {f.get_function_name(): f.get_trigger() for f in function_app.app.get_functions()}\n"
        "print(json.dumps({n: t.get_dict_repr()['authLevel'].name for n, t in triggers.items()"
        " if t.type == 'httpTrigger'}))"
    )
    assert {name for name, level in levels.items() if level == "ANONYMOUS"} == {
        "Console",  # a sign-in or a key
        "EndStep",  # a signed address
        "Health",
        "HealthUnversioned",
    }
    older = {f"{name}Unversioned" for name in ("Health", "ListResponses", "GetResponse")}
    assert {name for name in levels if name.endswith("Unversioned")} == older
    assert set(levels) == {*operations.names(), "Console", "ConsoleContent"}
    assert set(levels.values()) == {"ANONYMOUS", "FUNCTION"}


def test_no_two_names_differ_only_in_case():
    """The Functions host compares names without case, and never starts with two of the same."""
    named = asked(
        "import function_app, json\n"
        "found = [[f.get_function_name(), f.get_trigger().get_dict_repr()]"
        " for f in function_app.app.get_functions()]\n"
        "print(json.dumps(found, default=str))"
    )
    functions = [name.casefold() for name, _ in named]
    assert len(functions) == len(set(functions)), sorted(functions)
    kinds = {"orchestration": "orchestration", "activity": "activity", "entity": "entityName"}
    durable = {
        name: trigger[kinds[kind]]
        for name, trigger in named
        if (kind := trigger["type"].removesuffix("Trigger")) in kinds
    }
    assert {name for name in durable if not name.startswith("BuiltIn")} >= {"RespondToEvent", "RollOutModel"}
    assert {name: called for name, called in durable.items() if name != called} == {}
