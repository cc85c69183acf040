"""Own elements beside the rules: found without a fork, and reported in one line when they are broken."""

import sys
from pathlib import Path

import pytest

from mlevents.actions.action import action
from mlevents.conditions.condition import operator
from mlevents.errors import RulesError
from mlevents.events import parse
from mlevents.gates.gate import gate
from mlevents.matching.match import find_matches
from mlevents.rules.extensions import (
    list_own_files,
    load_extensions,
    report_extension_faults,
    use_extensions,
)
from mlevents.rules.file import load_rules
from mlevents.services.connection import connection
from mlevents.settings import Settings

ACTION = """\
from mlevents.actions.action import Action, Done, action


@action("{name}")
class Say(Action):
    text: str

    def perform(self, context, services):
        return Done(self.text)
"""
OPERATOR = """\
from mlevents.conditions.condition import Condition, operator


@operator("{name}")
class HasWord(Condition):
    def __init__(self, operand):
        self.word = operand

    def holds(self, value):
        {holds}
"""
RULES = """\
version: 1
rules:
  - id: say
    event: model.registered
    where: {{model: {{name: {{{operator}: urgent}}}}}}
    on_failure: []
    do: [{{uses: {action}, with: {{text: hello}}}}]
"""
EVENT = {
    "id": "1",
    "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w",
    "subject": "models/net:1",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-01-01T00:00:00Z",
    "data": {"modelName": "an urgent net", "modelVersion": "1", "modelTags": {}},
}


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "extensions").mkdir()
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
    yield tmp_path
    use_extensions(tmp_path.parent / "nowhere" / "rules.yaml")


def write(project: Path, file: str, text: str) -> None:
    (project / "extensions" / file).write_text(text)


def find_faults(project: Path) -> list[str]:
    with pytest.raises(RulesError) as refusal:
        load_extensions(project / "rules.yaml")
    return str(refusal.value).replace(f"{project}/", "").splitlines()


def test_rules_use_what_is_beside_them(project: Path):
    write(project, "say.py", ACTION.format(name="say"))
    write(project, "words.py", OPERATOR.format(name="has-word", holds="return self.word in value.split()"))
    (project / "rules.yaml").write_text(RULES.format(operator="has-word", action="say"))
    rules = load_rules(project / "rules.yaml", Settings())
    assert [one.rule.id for one in find_matches(rules, parse(EVENT))] == ["say"]


def test_a_folder_of_rules_has_them_beside_it_and_in_it(project: Path):
    rules = project / "rules"
    (rules / "extensions").mkdir(parents=True)
    write(project, "say.py", ACTION.format(name="say"))
    write(rules, "shout.py", ACTION.format(name="shout"))
    load_extensions(rules)
    assert {"say", "shout"} <= set(action.names())


def test_files_import_one_another_and_hide_no_module(project: Path):
    import email

    write(project, "_words.py", "NAME = 'say-so'\n")
    write(project, "email.py", "from ._words import NAME\n" + ACTION.replace('"{name}"', "NAME"))
    load_extensions(project / "rules.yaml")
    assert "say-so" in action.names()
    assert sys.modules["email"] is email


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def say(:\n", "1:9: invalid syntax: correct the syntax"),
        (
            "\nimport not_installed\n",
            "2:1: the module 'not_installed' does not exist here: "
            "correct the name, or add its package to requirements.txt and install it",
        ),
        (
            "from mlevents.actions.action import Acton\n",
            "1:1: cannot import name 'Acton' from 'mlevents.actions.action': correct the import",
        ),
        ("x = 1\n\n1 / 0\n", "3:1: ZeroDivisionError: division by zero: correct the extension"),
        ("raise RuntimeError('a\\nb')\n", "1:1: RuntimeError: a b: correct the extension"),
        ("import sys\nsys.exit(3)\n", "2:1: SystemExit: 3: correct the extension"),
        (
            "x = 1\n",
            "1:1: registers no element: put @action, @operator, @gate or @connection above a class, "
            "or begin the file's name with '_' if only other extensions import it",
        ),
        (
            "from mlevents.actions.action import action\n@action('say')\nclass Say: ...\n",
            "2:2: the action 'say' is not a class below mlevents.actions.action.Action: "
            "derive it from that class",
        ),
        (
            "from mlevents.actions.action import Action, action\n@action('say')\nclass Say(Action): ...\n",
            "2:2: the action 'say' does not define perform: add it",
        ),
        (
            "from mlevents.gates.gate import Gate, gate\n@gate('where')\nclass Where(Gate): ...\n",
            "2:1: the gate 'where' has the name of a key of the rule language: rename it",
        ),
        (
            OPERATOR.format(name="any", holds="return True"),
            "4:1: the operator 'any' has the name of a key of the rule language: rename it",
        ),
        (
            "from mlevents.services.connection import Connection, connection\n"
            "@connection('x')\nclass X(Connection):\n    type: str\n",
            "2:1: the connection type 'x' has a field 'type', the key that names the type: rename the field",
        ),
        (
            "from mlevents.events.event_type import EventType, event_type\n"
            "@event_type('Microsoft.X')\nclass X(EventType):\n    kind = 'x.y'\n",
            "2:1: an event type cannot be an extension: use the events that Azure ML publishes",
        ),
        (
            ACTION.format(name="notify"),
            "4:2: two actions are named 'notify', in mlevents.actions.notify.action and "
            "extensions/broken.py: rename one",
        ),
        (
            ACTION.format(name="good"),
            "4:2: two actions are named 'good', in extensions/a_good.py and extensions/broken.py: rename one",
        ),
    ],
)
def test_a_broken_file_is_one_line_with_its_place_and_the_remedy(project: Path, text: str, fault: str):
    write(project, "a_good.py", ACTION.format(name="good"))
    write(project, "broken.py", text)
    assert find_faults(project) == [f"extensions/broken.py:{fault}"]


def test_a_class_that_pydantic_refuses_is_one_line(project: Path):
    wrong = ACTION.format(name="say").replace("text: str", "text: Missing")
    write(project, "broken.py", "from __future__ import annotations\n" + wrong)
    (fault,) = find_faults(project)
    assert fault.startswith("extensions/broken.py:5:1: the action 'say' has a field that YAML cannot hold: ")


def test_every_broken_file_is_reported_and_nothing_is_half_used(project: Path):
    write(project, "a.py", ACTION.format(name="half-used") + "1 / 0\n")
    write(project, "b.py", "import not_installed\n")
    write(project, "c.py", ACTION.format(name="good"))
    assert [fault.split(":")[0] for fault in find_faults(project)] == ["extensions/a.py", "extensions/b.py"]
    assert not {"half-used", "good"} & set(action.names())
    assert len(find_faults(project)) == 2


def test_a_file_that_is_corrected_is_read_again(project: Path):
    write(project, "a.py", "1 / 0\n")
    find_faults(project)
    write(project, "a.py", ACTION.format(name="say"))
    load_extensions(project / "rules.yaml")
    assert "say" in action.names()


def test_files_are_imported_once(project: Path):
    write(project, "a.py", "import sys\nsys.stderr.write('!')\n" + ACTION.format(name="say"))
    load_extensions(project / "rules.yaml")
    first = action.find("say")
    load_extensions(project / "rules.yaml")
    assert action.find("say") is first


def test_other_rules_have_other_elements(project: Path, tmp_path: Path):
    other = tmp_path / "other"
    (other / "extensions").mkdir(parents=True)
    write(project, "a.py", ACTION.format(name="say"))
    write(other, "a.py", ACTION.format(name="say"))
    write(other, "b.py", ACTION.format(name="shout"))
    load_extensions(project / "rules.yaml")
    first = action.find("say")
    load_extensions(other / "rules.yaml")
    assert action.find("say") is not first
    assert "shout" in action.names()
    use_extensions(project / "rules.yaml")
    assert action.find("say") is first
    assert "shout" not in action.names()


def test_elements_of_mlevents_stay(project: Path):
    before = [kind.names() for kind in (action, operator, gate, connection)]
    write(project, "a.py", ACTION.format(name="say"))
    load_extensions(project / "rules.yaml")
    use_extensions(project / "elsewhere" / "rules.yaml")
    assert [kind.names() for kind in (action, operator, gate, connection)] == before


def test_what_an_extension_prints_is_no_output(project: Path, capsys: pytest.CaptureFixture[str]):
    write(project, "a.py", "print('hello')\n" + ACTION.format(name="say"))
    load_extensions(project / "rules.yaml")
    assert capsys.readouterr() == ("", "hello\n")


def test_an_operator_that_raises_names_its_line(project: Path):
    write(project, "words.py", OPERATOR.format(name="odd", holds="return value.nothing"))
    load_extensions(project / "rules.yaml")
    fault = r"extensions/words.py:10:16: AttributeError: .* has no attribute 'nothing': correct the extension"
    with pytest.raises(RulesError, match=fault), report_extension_faults():
        operator.find("odd")("x").holds("text")


def test_an_operator_that_fails_on_its_operand_names_its_line(project: Path):
    odd = OPERATOR.format(name="odd", holds="return False").replace("= operand", "= operand / 2")
    write(project, "words.py", odd)
    write(project, "say.py", ACTION.format(name="say"))
    (project / "rules.yaml").write_text(RULES.format(operator="odd", action="say"))
    with pytest.raises(RulesError, match=r"extensions/words.py:7:21: TypeError: .*: correct the extension"):
        load_rules(project / "rules.yaml", Settings())


def test_an_error_of_ours_stays_as_it_is(project: Path):
    with pytest.raises(ZeroDivisionError), report_extension_faults():
        1 / 0  # noqa: B018


def test_the_files_of_a_project_are_listed_for_those_who_watch_them(project: Path):
    (project / "templates").mkdir()
    (project / "templates" / "a.txt").write_text("A\n")
    write(project, "a.py", "")
    write(project, "_b.py", "")
    names = [str(file.relative_to(project)) for file in list_own_files(project / "rules.yaml")]
    assert names == ["extensions/_b.py", "extensions/a.py", "templates/a.txt"]
