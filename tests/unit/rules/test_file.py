"""Loading the rule file: what is ready to match, and what every mistake is told as."""

import json
from pathlib import Path

import pytest

from mlevents.errors import RulesError
from mlevents.rules.file import load_rules, load_rules_text
from mlevents.rules.model import Step
from mlevents.settings import Settings
from tests.unit.rules.rule_files import HEAD, SETTINGS, TELL, VOCABULARY, load_text, problems

WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/prod"


def test_a_good_file_is_rules_in_its_order():
    rules = load_text(HEAD + TELL + "  - {id: second, event: '*', do: [{uses: tell, with: {to: [team]}}]}\n")
    assert [(rule.id, rule.event, rule.mode) for rule in rules.rules] == [
        ("first", ("model.registered",), "live"),
        ("second", ("*",), "live"),
    ]
    assert rules.connections == {
        "adf": {"type": "factory", "id": "factories/0"},
        "team": {"type": "chat", "url": {"setting": "HOOK"}},
    }


def test_every_problem_is_told_at_once_in_order_of_place():
    text = (
        "version: 1\n"
        "connections: {adf: {type: factory, id: x}}\n"
        "rules:\n"
        "  - id: first\n"
        "    event: model.registered\n"
        "    where:\n"
        "      model:\n"
        "        name: {prefx: fraud-}\n"
        "    do:\n"
        "      - uses: run_factory\n"
        "        with:\n"
        "              pipline: retrain\n"
        "              connection: adf\n"
        "        retri: {}\n"
    )
    assert problems(text) == [
        "rules.yaml:8:16: rules[0].where.model.name.prefx: unknown operator 'prefx' (did you mean 'prefix'?)",
        "rules.yaml:12:15: rules[0].do[0].with.pipline: unknown parameter (did you mean 'pipeline'?)",
        "rules.yaml:14:9: rules[0].do[0].retri: unknown key (did you mean 'retry'?)",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("    evnt: x\n" + TELL, "evnt: unknown key (did you mean 'event'?)"),
        ("", "rules[0]: 'do' is missing: list at least one step"),
        ("    do: []\n", "do: must not be empty"),
        ("    do: {uses: tell}\n", "do: must be a list, not a mapping"),
        ("    do: [tell]\n", "do[0]: must be a mapping, not the text 'tell'"),
        ("    do: [{uses: tel}]\n", "do[0].uses: unknown action 'tel' (did you mean 'tell'?)"),
        ("    do: [{uses: tell}]\n", "do[0].with: 'to' is missing"),
        ("    do: [{uses: tell, with: {to: 5}}]\n", "with.to: must be text or a list, not the number 5: put"),
        ("    do: [{uses: tell, with: {to: teem}}]\n", "unknown connection 'teem' (did you mean 'team'?)"),
        ("    do: [{uses: tell, with: {to: [team, teem]}}]\n", "with.to[1]: unknown connection 'teem'"),
        ("    do: [{uses: tell, with: {to: adf}}]\n", "'adf' has the type factory, which does not fit"),
        ("    do: [{uses: tell, with: {to: team}, timeout: 5}]\n", "the duration 5 has no unit: write 5s"),
        ("    do: [{uses: tell, with: {to: team}, timeout: 5 min}]\n", "'5 min' is not a valid duration"),
        ("    do: [{uses: tell, with: {to: team}, id: Tell it}]\n", "'Tell it' is not a valid step id"),
        ("    mode: lve\n" + TELL, "not the text 'lve' (did you mean 'live'?)"),
        ("    description: 5\n" + TELL, "description: must be text, not the number 5: put it in quotes"),
        ("    where: []\n" + TELL, "where: must be a mapping, not a list"),
        ("    where:\n" + TELL, "where: must be a mapping, not nothing"),
        ("    where: {model: {tags: {size: 1.10}}}\n" + TELL, 'write "1.10"'),
        ("    order: {key: x}\n" + TELL, "order: 'by' is missing"),
    ],
)
def test_a_mistake_in_a_rule_is_told_with_its_remedy(line: str, told: str):
    found = problems(HEAD + line)
    assert any(told in problem and problem.startswith("rules.yaml:") for problem in found), found


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("model.registred", "unknown event 'model.registred' (did you mean 'model.registered'?)"),
        ("[model.registered, nothing]", "unknown event 'nothing': use"),
        ("[]", "event: must not be empty"),
        ("5", "event: must be a list, not the number 5"),
    ],
)
def test_a_mistake_in_the_event_is_told_once(event: str, told: str):
    [found] = problems(
        f"version: 1\nrules:\n  - id: x\n    event: {event}\n    do: [{{uses: run_factory}}]\n"
    )[:1]
    assert told in found
    assert found.startswith("rules.yaml:4:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "rules.yaml:1:1: the file is empty: begin with 'version: 1'"),
        ("# nothing\n", "rules.yaml:1:1: the file is empty"),
        ("- a\n", "rules.yaml:1:1: must be a mapping, not a list"),
        ("version: 1\nrules: 1\n", "rules.yaml:2:1: rules: must be a list, not the number 1"),
        ("version: 2\nrules: []\n", "rules.yaml:1:1: version: must be 1, not the number 2"),
        ("rules: []\n", "rules.yaml:1:1: 'version' is missing: begin the file with `version: 1`"),
        ("version: 1\nrules:\n", "rules.yaml:2:1: rules: must be a list, not nothing"),
        ("version: 1\nrule: []\n", "rules.yaml:2:1: rule: unknown key (did you mean 'rules'?)"),
        ("version: 1\nrules: 5\n", "rules.yaml:2:1: rules: must be a list, not the number 5"),
        ("version: 1\n  rules: []\n", "rules.yaml:2:8: this is not YAML: mapping values are not allowed"),
        ("version: 1\nrules: [\n", "rules.yaml:3:1: this is not YAML"),
        ("version: 1\nrules: [\x07]\n", "rules.yaml:2:9: the character U+0007 is not allowed in YAML"),
        (
            "version: 1\nversion: 1\nrules: []\n",
            "rules.yaml:2:1: version: the key 'version' is a duplicate",
        ),
        (
            "version: 1\nrules: []\nworkspaces: {a: b}\n",
            "rules.yaml:3:14: workspaces.a: the text 'b' is not a work",
        ),
    ],
)
def test_a_file_that_is_none_is_told_at_its_place(text: str, told: str):
    found = problems(text)
    assert any(problem.startswith(told) for problem in found), found


def test_two_rules_with_one_id_are_told_at_the_second():
    found = problems(HEAD + TELL + "  - {id: first, event: '*', do: [{uses: tell, with: {to: team}}]}\n")
    assert found == ["rules.yaml:9:6: rules[1].id: 'first' is also the id of the rule in line 6: rename one"]


def test_a_rule_repeated_by_an_alias_is_told():
    [found] = problems(HEAD.replace("- id", "- &a\n    id") + TELL + "  - *a\n")
    assert "'first' is also the id of the rule in line 7" in found


def test_steps_without_an_id_are_called_by_their_action_and_a_number():
    step = "{uses: tell, with: {to: team}}"
    rules = load_text(f"{HEAD}    do: [{step}, {step}, {{id: mine, uses: tell, with: {{to: team}}}}]\n")
    assert [step.id for step in rules.rules[0].steps] == ["tell", "tell_2", "mine"]


def test_two_steps_with_one_id_are_told():
    step = "{id: a, uses: tell, with: {to: team}}"
    [found] = problems(f"{HEAD}    do: [{step}, {step}]\n")
    assert "do[1].id: 'a' is the id of an earlier step" in found


def test_retry_is_what_the_step_says_then_the_defaults_then_the_language():
    text = HEAD.replace("rules:", "defaults: {retry: {first: 2m}}\nrules:") + (
        "    do: [{uses: tell, with: {to: team}, retry: {attempts: 2}}]\n"
    )
    [step] = load_text(text).rules[0].steps
    assert (step.retry.attempts, step.retry.first, step.retry.max) == (2, 120.0, 300.0)


def test_on_failure_is_the_rules_own_or_the_defaults():
    defaults = "defaults: {on_failure: [{uses: tell, with: {to: team}}]}\nrules:"
    text = HEAD.replace("rules:", defaults)
    own = "    on_failure: []\n"
    assert [step.id for step in load_text(text + TELL).rules[0].on_failure] == ["tell"]
    assert load_text(text + TELL + own).rules[0].on_failure == ()


def test_a_step_goes_through_json_and_comes_back_equal():
    text = HEAD + "    do: [{uses: tell, with: {to: team}, if: '${model.name}', timeout: 1.5h}]\n"
    [step] = load_text(text).rules[0].steps
    document = json.loads(json.dumps(step.model_dump()))
    assert document["with"] == {"to": "team"}
    assert Step.model_validate(document) == step


def test_a_value_filled_in_later_is_not_judged_now():
    step = "{uses: run_factory, with: {connection: adf, pipeline: p, attempts: '${model.version}'}}"
    assert problems(f"{HEAD}    do: [{step}]\n") == []


def test_an_unknown_name_in_an_expression_is_told():
    [found] = problems(
        HEAD + "    do: [{uses: run_factory, with: {connection: adf, pipeline: '${modl.name}'}}]\n"
    )
    assert "rules[0].do[0].with.pipeline: " in found
    assert "did you mean 'model'?" in found


def test_results_are_known_to_later_steps_only():
    step = "{{uses: run_factory, with: {{connection: adf, pipeline: '${{steps.{}.x}}'}}}}"
    steps = [step.format("run_factory"), step.format("run_factory")]
    [found] = problems(f"{HEAD}    do: [{', '.join(steps)}]\n")
    assert "rules[0].do[0].with.pipeline" in found


def test_the_failure_is_known_in_on_failure_only():
    step = "{uses: run_factory, with: {connection: adf, pipeline: '${failure.message}'}}"
    assert problems(f"{HEAD}{TELL}    on_failure: [{step}]\n") == []
    assert len(problems(f"{HEAD}    do: [{step}]\n")) == 1


def test_a_missing_file_is_told_with_the_whole_place(tmp_path: Path):
    [found] = problems(HEAD + "    do: [{uses: tell, with: {to: team, text: a/b.txt}}]\n", tmp_path)
    assert f"the file '{tmp_path}/a/b.txt' does not exist" in found


@pytest.mark.parametrize(
    "name", ["/etc/hosts", "../outside.txt", "link/outside.txt", "inside/../../outside.txt"]
)
def test_no_file_outside_the_folder_is_used(tmp_path: Path, name: str):
    folder = tmp_path / "rules"
    (folder / "inside").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("x")
    (folder / "link").symlink_to(tmp_path)
    [found] = problems(f"{HEAD}    do: [{{uses: tell, with: {{to: team, text: '{name}'}}}}]\n", folder)
    assert f"'{name}' is outside the rule file's folder" in found


def test_a_file_with_nul_in_its_name_is_told(tmp_path: Path):
    [found] = problems(HEAD + '    do: [{uses: tell, with: {to: team, text: "a\\0b"}}]\n', tmp_path)
    assert "is not a valid file name" in found


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        ("{type: chatt, url: x}", "c.type: unknown connection type 'chatt' (did you mean 'chat'?)"),
        ("{url: x}", "c.type: must be the type of the connection: write one of chat, factory"),
        ("{type: [chat]}", "c.type: must be the type of the connection: write one of chat, factory"),
        ("{type: chat}", "c: 'url' is missing"),
        ("{type: chat, url: {settin: HOOK}}", "c.url.settin: unknown key (did you mean 'setting'?)"),
        ("{type: chat, url: {setting: HOK}}", "'HOK' is not set (did you mean 'HOOK'?)"),
        ("{type: chat, url: '${env.HOK}'}", "'HOK' is not set (did you mean 'HOOK'?)"),
        ("{type: chat, url: '${model.name}'}", "'${model.name}' is not allowed here: use ${env.NAME}"),
        ("chat", "c: must be a mapping, not the text 'chat'"),
    ],
)
def test_a_mistake_in_a_connection_is_told(connection: str, told: str):
    [found] = problems(f"version: 1\nconnections:\n  c: {connection}\nrules: []\n")
    assert told in found


def test_settings_that_are_set_elsewhere_are_warnings_where_that_is_allowed():
    text = HEAD.replace("HOOK", "AWAY").replace("SUBSCRIPTION", "GONE") + TELL
    assert len(problems(text)) == 2
    warnings = load_text(text, require_settings=False).warnings
    assert [(one.line, one.path) for one in warnings if "is not set" in one.text] == [
        (3, "connections.adf.id"),
        (4, "connections.team.url"),
    ]


def test_only_listed_workspaces_are_allowed_without_regard_to_case():
    rules = load_text(f"version: 1\nworkspaces: {{prod: {WORKSPACE}}}\nrules: []\n")
    assert rules.allows(WORKSPACE.upper())
    assert not rules.allows(WORKSPACE + "2")
    assert not rules.allows("")
    assert load_text("version: 1\nrules: []\n").allows("")


def test_what_cannot_be_read_is_a_rules_error(tmp_path: Path):
    def told(path: Path) -> str:
        with pytest.raises(RulesError) as caught:
            load_rules(path, Settings())
        return str(caught.value)

    latin = tmp_path / "latin.yaml"
    latin.write_bytes("version: 1\n# é\n".encode("latin-1"))
    assert (
        told(tmp_path / "none.yaml") == f"{tmp_path}/none.yaml:1:1: cannot be read: No such file or directory"
    )
    assert told(latin) == f"{latin}:2:3: the byte 0xe9 is not UTF-8: save the file as UTF-8"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path):
    path = tmp_path / "rules.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + TELL).encode())
    assert len(load_rules(path, SETTINGS, vocabulary=VOCABULARY).rules) == 1


def test_an_event_does_not_choose_a_connection():
    step = "{uses: run_factory, with: {connection: '${model.name}', pipeline: p}}"
    [problem] = problems(f"{HEAD}    do: [{step}]\n")
    assert "'${model.name}' is an expression" in problem


def test_a_condition_that_is_no_expression_is_refused():
    step = "{uses: tell, with: {to: team}, if: 'model.version > 3'}"
    [problem] = problems(f"{HEAD}    do: [{step}]\n")
    assert "'model.version > 3' is always true: write an expression, such as ${model.version > 3}" in problem


@pytest.mark.parametrize("event", ["run.completed", "drift.detected", "[run.completed, run.status_changed]"])
def test_an_event_about_no_model_needs_the_model_to_be_named(event: str, tmp_path: Path):
    (tmp_path / "small.yaml").write_text("instance_type: Standard_DS3_v2\ninstance_count: 1\n")
    step = "{uses: deploy_model, with: {endpoint: e, template: small.yaml%s}}"
    text = f"version: 1\nrules:\n  - {{id: x, event: {event}, do: [{step}]}}\n"
    with pytest.raises(RulesError, match="the events of this rule have no model, so 'model' has no default"):
        load_rules_text(text % "", tmp_path / "rules.yaml", Settings())
    assert load_rules_text(text % ", model: 'net:1'", tmp_path / "rules.yaml", Settings()).rules


def test_an_empty_list_of_receivers_is_refused():
    step = "{uses: tell_some, with: {to: []}}"
    [problem] = problems(f"{HEAD}    do: [{step}]\n")
    assert "do[0].with.to: must not be empty" in problem


@pytest.mark.parametrize("value", ["", " ", "fixed", "${'fixed'}"])
def test_a_dedupe_that_is_the_same_for_every_event_is_refused(value: str):
    [problem] = problems(f'{HEAD}    dedupe: "{value}"\n{TELL}')
    assert f"rules[0].dedupe: '{value}' is the same for every event" in problem


@pytest.mark.parametrize("age", ["0s", "0.0001ms"])
def test_an_age_that_no_event_can_have_is_refused(age: str):
    [problem] = problems(f"{HEAD}    max_age: {age}\n{TELL}")
    assert "rules[0].max_age: the duration must be longer than 0 s" in problem


@pytest.mark.parametrize("parameter", ["endpoint", "deployment"])
def test_a_written_name_that_is_none_is_refused(parameter: str, tmp_path: Path):
    (tmp_path / "small.yaml").write_text("instance_type: Standard_DS3_v2\ninstance_count: 1\n")
    names = "endpoint: fraud, " if parameter == "deployment" else ""
    step = f"{{uses: deploy_model, with: {{{names}{parameter}: '..', template: small.yaml}}}}"
    text = f"version: 1\nrules:\n  - {{id: x, event: model.registered, do: [{step}]}}\n"
    with pytest.raises(RulesError, match=rf"with\.{parameter}: '\.\.' gives no valid"):
        load_rules_text(text, tmp_path / "rules.yaml", Settings())
