"""What is valid and cannot be meant is reported; what may be meant is not an error, and no false alarm."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import RulesError
from mlevents.events import NAMES
from mlevents.events.known_values import KNOWN_VALUES, PLAIN_NAMES
from mlevents.rules.anchored_expressions import find_anchor_mistake
from mlevents.rules.expression_mistakes import find_if_mistakes, find_value_mistakes
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings

ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
SETTINGS = Settings(environment={"HOOK": "json://localhost"})
NOTIFY = "{uses: notify, with: {to: team, subject: s, text: t}}"
CALL = "{uses: run_data_factory_pipeline, with: {connection: adf, pipeline: p, parameters: {a: %s}}}"
ADF = (
    "{type: data_factory, id: /subscriptions/0/resourceGroups/g/providers/Microsoft.DataFactory/factories/f}"
)


def find(
    event: str = "model.registered",
    where: str = "",
    do: str = CALL % "x",
    more: str = "on_failure: []",
    extra: str = "",
) -> dict[str, list[str]]:
    """The errors and the warnings of a file with one rule, as `path: text`."""
    text = (
        f"version: 1\nworkspaces: {{prod: {ID}}}\n"
        f"connections: {{team: {{type: apprise, url: {{setting: HOOK}}}}, adf: {ADF}}}\n"
        f"rules:\n  - id: one\n    event: {event}\n    {more}\n"
        + (f"    where: {where}\n" if where else "")
        + f"    do: [{do}]\n{extra}"
    )
    try:
        warnings, errors = load_rules_text(text, Path("rules.yaml"), SETTINGS).warnings, []
    except RulesError as error:
        warnings, errors = tuple(error.warnings), error.problems
    known = ("no step uses this connection", "may cause ")
    return {
        "errors": [f"{one.path}: {one.text}" for one in errors],
        "warnings": [
            f"{one.path}: {one.text}" for one in warnings if not any(text in one.text for text in known)
        ],
    }


@pytest.mark.parametrize(
    ("event", "where", "message"),
    [
        (
            "model.registered",
            "{model: {name: churn-*}}",
            "model.name: 'churn-*' is compared as plain text",
        ),
        ("model.registered", "{model: {name: churn-*}}", 'write `{glob: "churn-*"}`'),
        ("model.registered", "{model: {name: [a, 'b?']}}", "'b?' is compared as plain text"),
        ("model.registered", "{model: {name: '[ab]x'}}", 'write `{glob: "[ab]x"}`'),
        ("model.registered", "{model: {name: {equals: '*-x'}}}", "'*-x' is compared as plain text"),
        ("model.registered", "{model: {name: {not-in: ['a*']}}}", 'write `not: {glob: "a*"}`'),
        ("model.registered", "{model: {name: {prefix: 'churn-*'}}}", "write `{prefix: churn-}`"),
        ("model.registered", "{model: {name: {contains: '*x*'}}}", "write `{contains: x}`"),
        ("model.registered", "{model: {name: {prefix: '*'}}}", "write `{present: true}`"),
        ("model.registered", "{any: [{model: {name: 'a*'}}, {model: {name: b}}]}", "any[0].model.name: 'a*'"),
        ("model.registered", "{model: {name: 'churn:3'}}", 'write `name: churn` and `version: "3"`'),
        ("model.deployed", "{deployment: {models: 'a*'}}", "'a*' is compared as plain text"),
        ("model.registered", "{model: {tags: {accuracy: '>0.9'}}}", "write `{gt: 0.9}`"),
        ("model.registered", "{model: {tags: {accuracy: '>= 0.9'}}}", "write `{gte: 0.9}`"),
        ("model.registered", "{model: {tags: {a: '<= 1'}}}", "write `{lte: 1}`"),
        ("model.registered", "{model: {tags: {a: '=> 1'}}}", "write `{gte: 1}`"),
        ("model.registered", "{model: {version: '>2'}}", 'write `{version: ">2"}`'),
        ("model.registered", "{model: {tags: {api: '>=2.1.3'}}}", 'write `{version: ">=2.1.3"}`'),
        ("model.registered", "{model: {name: {matches: '^churn'}}}", "write `{prefix: churn}`"),
        ("model.registered", "{model: {name: {matches: 'churn$'}}}", "write `{suffix: churn}`"),
        (
            "run.status_changed",
            "{run: {status: Faild, root: true}}",
            "'Faild' (did you mean 'Failed'?)",
        ),
        (
            "run.status_changed",
            "{run: {status: [cancelled], root: true}}",
            "(did you mean 'Canceled'?)",
        ),
        ("run.status_changed", "{run: {status: succeeded, root: true}}", "(did you mean 'Completed'?)"),
        ("run.status_changed", "{run: {status: {not-in: [Faild]}, root: true}}", "never 'Faild'"),
        ("drift.detected", "{drift: {generation: v3}}", "drift.generation is never 'v3'"),
        ("drift.detected", "{drift: {breaches: {any: {metric: '>0.3'}}}}", "write `{gt: 0.3}`"),
        ("drift.detected", "{drift: {generation: {prefix: x}}}", "fits no value of drift.generation"),
        ("model.registered", "{workspace: {name: prod}}", "'prod' is the alias of a workspace in this file"),
        ("model.registered", "{workspace: {name: prod}}", "write 'ml-prod', its name in Azure"),
        ("model.registered", "{workspace: {name: {not-in: [prod]}}}", "write 'ml-prod'"),
        ("model.registered", "{workspace: {id: prod}}", f"write '{ID}'"),
        ("model.registered", "{workspace: {name: ml-dev}}", "no listed workspace has the name 'ml-dev'"),
    ],
)
def test_a_condition_that_cannot_mean_what_it_says_is_an_error(event: str, where: str, message: str):
    errors = find(event, where)["errors"]
    assert any(message in one for one in errors), errors
    assert all(one.startswith("rules[0].where.") for one in errors)


@pytest.mark.parametrize(
    ("event", "where", "message"),
    [
        ("model.registered", "{model: {tags: {team: 'risk-*'}}}", "'risk-*' is compared as plain text"),
        ("model.registered", "{model: {tags: {team: '*'}}}", "write `{present: true}`"),
        ("model.registered", "{model: {tags: {team: {prefix: 'risk-*'}}}}", "write `{prefix: risk-}`"),
        ("model.registered", r"{model: {name: {matches: '^churn-\d+'}}}", "not its beginning alone"),
        ("model.registered", r"{model: {name: {matches: '\d+$'}}}", "not its end alone"),
        ("model.registered", "{model: {name: {matches: churn}}}", "write `{contains: churn}` to search"),
        ("run.status_changed", "{run: {status: exploded, root: true}}", "run.status is never 'exploded'"),
        ("drift.detected", "{drift: {coefficient: {gte: 0.3}}}", "only data drift v1 has drift.coefficient"),
        ("drift.detected", "{drift: {coefficient: {gte: 0.3}}}", "write `drift: {value: {gte: 0.3}}`"),
        ("drift.detected", "{drift: {baseline: train}}", "only data drift v1 has drift.baseline"),
        ("[drift.detected, run.completed]", "{drift: {coefficient: {gte: 0.3}}}", "retired v1"),
        (
            "drift.detected",
            "{any: [{drift: {coefficient: {gt: 1}}}, {drift: {baseline: a}}]}",
            "only data drift v1 has drift.coefficient",
        ),
    ],
)
def test_a_condition_that_may_be_meant_is_a_warning(event: str, where: str, message: str):
    found = find(event, where)
    assert found["errors"] == []
    assert any(message in one for one in found["warnings"]), found


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ("model.registered", "{model: {name: {glob: 'churn-*'}}}"),
        ("model.registered", "{model: {name: churn-v1.2_x}}"),
        ("model.registered", "{model: {tags: {scope: {equals: '*'}}}}"),
        ("model.registered", "{model: {tags: {scope: {equals: 'a*'}}}}"),
        ("model.registered", "{model: {tags: {formula: 'a*b'}}}"),
        ("model.registered", "{model: {tags: {note: 'is it [good]?'}}}"),
        ("model.registered", "{model: {tags: {path: 's3:x'}}}"),
        ("model.registered", "{model: {tags: {rule: {equals: '>0.9'}}}}"),
        ("model.registered", "{model: {tags: {rule: {in: ['>a', '-> 3']}}}}"),
        ("model.registered", "{model: {tags: {accuracy: '0.9'}}}"),
        ("model.registered", "{model: {tags: {delta: '-0.9'}}}"),
        ("model.registered", "{model: {version: {version: '>=2'}}}"),
        ("model.registered", "{model: {name: {matches: '^churn$'}}}"),
        ("model.registered", "{model: {name: {matches: '^churn.*'}}}"),
        ("model.registered", "{model: {name: {matches: '.*churn$'}}}"),
        ("model.registered", "{model: {name: {matches: '(?i)churn-[a-z]+'}}}"),
        ("model.registered", r"{model: {name: {matches: '\^x\$'}}}"),
        ("model.registered", "{model: {name: {matches: 'churn|fraud'}}}"),
        ("model.registered", "{model: {tags: {cost: {matches: '[0-9]+\\$'}}}}"),
        ("run.status_changed", "{run: {status: [FAILED, canceled], root: true}}"),
        ("run.status_changed", "{run: {status: {prefix: fail}, root: true}}"),
        ("run.status_changed", "{run: {tags: {status: Faild}, root: true}}"),
        ("model.registered", "{workspace: {name: ML-PROD}}"),
        ("model.registered", "{workspace: {name: {prefix: ml-}}}"),
        ("model.registered", "{workspace: {name: {not-in: [ml-dev]}}}"),
        ("model.registered", "{model: {tags: {env: prod}}}"),
        ("drift.detected", "{any: [{drift: {coefficient: {gte: 0.3}}}, {drift: {generation: v2}}]}"),
        ("drift.detected", "{drift: {coefficient: {gte: 0.3}, generation: v1}}"),
        ("drift.detected", "{drift: {value: {gte: 0.3}}}"),
        ("drift.detected", "{drift: {breaches: {any: {metric: JensenShannonDistance, value: {gt: 0.3}}}}}"),
        ("drift.detected", "{not: {drift: {coefficient: {lt: 0.3}}}}"),
        ("drift.detected", "{any: [{drift: {coefficient: {gte: 0.3}}}, {drift: {signal: {present: true}}}]}"),
    ],
)
def test_a_legitimate_condition_is_not_reported(event: str, where: str):
    assert find(event, where) == {"errors": [], "warnings": []}


def test_an_alias_that_is_also_a_name_is_that_name():
    other = ID.replace("ml-prod", "prod")
    rule = "{id: a, event: '*', where: {workspace: {name: prod}}, on_failure: [], do: [%s]}" % (CALL % "x")
    text = (
        f"version: 1\nworkspaces: {{prod: {ID}, dev: {other}}}\nconnections: {{adf: {ADF}}}\n"
        f"rules:\n  - {rule}\n"
    )
    assert load_rules_text(text, Path("rules.yaml"), SETTINGS).warnings == ()


def test_a_workspace_whose_setting_is_not_set_is_not_compared():
    text = (
        "version: 1\nworkspaces: {prod: '/subscriptions/s/resourceGroups/g/providers/"
        "Microsoft.MachineLearningServices/workspaces/${env.NAME}'}\n"
        f"connections: {{adf: {ADF}}}\n"
        "rules:\n  - {id: a, event: '*', where: {workspace: {name: ml-dev}}, on_failure: [], "
        f"do: [{CALL % 'x'}]}}\n"
    )
    rules = load_rules_text(text, Path("rules.yaml"), Settings(environment={}), require_settings=False)
    assert [one.setting for one in rules.warnings] == ["NAME"]


@pytest.mark.parametrize(
    ("value", "message", "is_error"),
    [
        ("{{ model.name }}", "'{{ model.name }}' is plain text here, not a value: write ${model.name}", True),
        ("a {{model.name | lower}} b", "write ${model.name | lower}", True),
        ("{{ x }}", "'{{ x }}' is plain text here, not a value: write ${x}", False),
        ("{{ steps.a.b }}", "write ${steps.a.b}", True),
        ("${{ model.name }}", "'${{ model.name }}' is not an expression of rules: write ${model.name}", True),
        ("{model.name}", "'{model.name}' is plain text here", False),
        ("$(model.name)", "'$(model.name)' is plain text here", False),
        ("${model.tags.accuracy > 0.9}", "write `model.tags.accuracy | float`", True),
        ("${0.9 < model.tags.accuracy}", "write `model.tags.accuracy | float`", True),
        ("${model.tags.n == 3}", "model.tags.n is a text, 3 is a number", True),
        ("${model.tags.release == true}", "never equal to true: compare it with 'true' in quotes", True),
        ("${model.tags.n > '9'}", "compare as texts, letter by letter", False),
    ],
)
def test_a_value_that_cannot_mean_what_it_says_is_reported(value: str, message: str, is_error: bool):
    [found] = find_value_mistakes({"a": [value]}, NAMES["model.registered"], "with")
    assert (found.path, found.is_error) == ("with.a[0]", is_error)
    assert message in found.text
    severity = "errors" if is_error else "warnings"
    assert any(message in one for one in find(do=CALL % json.dumps(value))[severity])


@pytest.mark.parametrize(
    "value",
    [
        "${model.name}",
        "$${{ github.ref }}",
        "{}",
        "{{}}",
        '{"a": {"b": 1}}',
        "{other.name}",
        "{model}",
        "{model.nme}",
        "@{model.name}",
        "{{#each}}",
        "${model.tags.accuracy | float > 0.9}",
        "${model.tags.release == 'true'}",
        "${model.tags.n | int == 3}",
        "${'{{ model.name }}'}",
        "${{'a': model.name}}",
    ],
)
def test_a_legitimate_value_is_not_reported(value: str):
    assert list(find_value_mistakes(value, NAMES["model.registered"], "")) == []


@pytest.mark.parametrize(
    ("value", "is_error"),
    [
        ("${run.status == 'failed'}", False),
        ("${run.status != 'Faild'}", False),
        ("${'failed' == run.status}", False),
    ],
)
def test_a_status_in_an_expression_is_compared_with_case(value: str, is_error: bool):
    [found] = find_value_mistakes(value, NAMES["run.completed"], "if")
    assert found.is_error is is_error
    assert list(find_value_mistakes("${run.status == 'Failed'}", NAMES["run.completed"], "")) == []
    assert list(find_value_mistakes("${run.status | lower == 'failed'}", NAMES["run.completed"], "")) == []


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        ("${model.tags.deploy}", "errors"),
        ("${not model.tags.skip}", "errors"),
        ("${model.name == 'x' and model.tags['a.b']}", "errors"),
        ("${model.tags.deploy | default('')}", "warnings"),
        ("${model.tags.deploy | default(false) | lower}", "warnings"),
    ],
)
def test_an_if_on_the_text_of_a_tag_is_reported(condition: str, severity: str):
    step = f"{{uses: notify, if: {json.dumps(condition)}, with: {{to: team, subject: s, text: t}}}}"
    found = find(do=step)
    assert any("counts as true, even 'false'" in one for one in found[severity]), found


@pytest.mark.parametrize(
    "condition",
    [
        "${model.tags.deploy == 'true'}",
        "${model.tags.deploy | default('no') != 'no'}",
        "${model.tags.n | int}",
        "${'x' if model.tags.a == 'b' else ''}",
        "${steps.deploy.done}",
    ],
)
def test_an_if_that_compares_is_not_reported(condition: str):
    assert list(find_if_mistakes(condition, NAMES["model.registered"], "if")) == []


def test_a_boolean_field_is_a_condition():
    assert (
        list(find_if_mistakes("${run.root and not run.monitor_breach}", NAMES["run.completed"], "if")) == []
    )


def test_a_file_without_on_failure_gets_one_warning():
    [warning] = find(more="description: x")["warnings"]
    assert warning.startswith("rules: no rule has `on_failure`, so no notification is sent")
    defaults = f"defaults: {{on_failure: [{NOTIFY}]}}\n"
    for found in (
        find(more="on_failure: []"),
        find(more=f"on_failure: [{NOTIFY}]"),
        find(more="description: x", extra=defaults),
        find(more="description: x", extra="defaults: {on_failure: []}\n"),
    ):
        assert found == {"errors": [], "warnings": []}


@pytest.mark.parametrize(
    ("event", "where", "messages"),
    [
        ("run.status_changed", "{run: {status: failed}}", ["add `root: true`"]),
        ("[run.status_changed, model.deployed]", "{run: {status: failed}}", ["add `root: true`"]),
        ("run.completed", "{run: {experiment: e}}", ["add `root: true`"]),
        ("run.status_changed", "{run: {root: true}}", ["add `status: failed`"]),
        ("run.status_changed", "", ["add `root: true`", "add `status: failed`"]),
        ("run.status_changed", "{run: {status: failed, root: true}}", []),
        ("run.status_changed", "{run: {status: failed, root: false}}", []),
        ("run.status_changed", "{run: {status: failed, type: azureml.PipelineRun}}", []),
        ("run.status_changed", "{run: {status: failed, tags: {azureml.pipelinerunid: {absent: true}}}}", []),
        ("run.status_changed", "{run: {monitor_breach: true}}", []),
        ("run.status_changed", "{any: [{run: {status: failed, root: true}}, {run: {status: canceled}}]}", []),
        ("model.registered", "", []),
    ],
)
def test_a_message_for_every_step_or_status_of_a_run_is_a_warning(
    event: str, where: str, messages: list[str]
):
    found = find(event, where, NOTIFY)
    assert found["errors"] == []
    assert len(found["warnings"]) == len(messages), found
    assert all(any(message in one for one in found["warnings"]) for message in messages)


def test_a_rule_that_sends_no_message_may_take_every_run():
    assert find("run.status_changed") == {"errors": [], "warnings": []}


def test_a_rule_that_repeats_another_is_a_warning():
    again = f"  - {{id: two, event: model.registered, on_failure: [], do: [{CALL % 'x'}]}}\n"
    [warning] = find(extra=again)["warnings"]
    assert (
        warning
        == "rules[1]: 'two' is the same as the rule 'one', so each event gets both responses: remove one"
    )
    other = again.replace("model.registered", "model.deployed")
    assert find(extra=other)["warnings"] == []


def test_the_tables_name_fields_that_exist():
    fields = {(root, name) for roots in NAMES.values() for root, named in roots.items() for name in named}
    assert {*KNOWN_VALUES, *PLAIN_NAMES} <= fields


@given(st.text(alphabet="^$.*+|()[]\\aAz?d-", max_size=12))
def test_looking_at_an_expression_never_raises(expression: str):
    assert len(list(find_anchor_mistake(expression))) <= 1


@given(st.text(alphabet="${}() .'\"|=<>modelnatgs0", max_size=20))
def test_looking_at_a_value_never_raises(value: str):
    list(find_value_mistakes(value, NAMES["model.registered"], ""))
    list(find_if_mistakes(value, NAMES["model.registered"], ""))
