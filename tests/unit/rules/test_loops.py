"""Warnings: rules that start themselves, connections that nobody uses; and steps in the wrong order."""

from pathlib import Path

import pytest

from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.settings import Settings
from tests.unit.rules.rule_files import HEAD, TELL, load_text, problems

BREAKER = "run: {tags: {mlevents.response: {absent: true}}}"
FILE = """\
version: 1
rules:
  - id: again
    event: %s
    where: {%s}
    do: [{uses: run_ml_pipeline, with: {component: 'train:1'}}]
"""


def warnings(event: str, where: str) -> list[str]:
    rules = load_rules_text(FILE % (event, where), Path("rules.yaml"), Settings())
    return others(rules)


def others(rules: Rules) -> list[str]:
    """The warnings, but that these little files list no workspace and have no `on_failure`."""
    return [str(warning) for warning in rules.warnings if warning.path not in ("workspaces", "rules")]


def test_a_rule_that_starts_itself_is_told_with_the_condition_against_it():
    [found] = warnings("run.completed", "run: {experiment: train}")
    assert found == (
        "rules.yaml:6:11: rules[0].do[0].uses: run_ml_pipeline may cause run.completed, which starts this "
        "rule again: break the loop with `where: {run: {tags: {mlevents.response: {absent: true}}}}`, "
        "which ignores what responses created"
    )


@pytest.mark.parametrize("event", ["'*'", "run.completed", "[run.completed, run.status_changed]"])
def test_the_condition_that_is_proposed_breaks_the_loop(event: str):
    assert warnings(event, "event: {id: {present: true}}") != []
    assert warnings(event, BREAKER) == []


@pytest.mark.parametrize(
    "where",
    [
        "not: {run: {tags: {mlevents.response: {present: true}}}}",
        "run: {tags: {mlevents.rule: {not-in: [again]}}}",
        "run: {tags: {any: [{mlevents.depth: {absent: true}}, {mlevents.event: {absent: true}}]}}",
    ],
)
def test_any_condition_that_leaves_out_what_the_rule_made_breaks_the_loop(where: str):
    assert warnings("run.status_changed", where) == []


def test_another_rule_left_out_breaks_no_loop():
    assert warnings("run.status_changed", "run: {tags: {mlevents.rule: {not-in: [other]}}}") != []


def test_an_action_that_causes_other_events_is_no_loop():
    assert warnings("model.registered", "model: {name: x}") == []


def test_a_connection_that_nobody_uses_is_a_warning():
    [warning] = others(load_text(HEAD + TELL))
    assert warning == ("rules.yaml:3:3: connections.adf: no step uses this connection: remove it, or use it")


def test_a_connection_of_on_failure_is_used():
    text = HEAD.replace("rules:", "defaults: {on_failure: [{uses: tell, with: {to: [team]}}]}\nrules:")
    step = "    do: [{uses: run_factory, with: {connection: adf, pipeline: p}}]\n"
    assert others(load_text(text + step)) == []


def step(name: str, reads: str) -> str:
    return f"{{id: {name}, uses: run_factory, with: {{connection: adf, pipeline: '${{steps.{reads}.x}}'}}}}"


def told(*steps: str) -> list[str]:
    found = problems(f"{HEAD}    do:\n" + "".join(f"      - {one}\n" for one in steps))
    return [problem.partition("pipeline: ")[2] for problem in found]


def test_a_step_that_reads_a_later_one_is_told_the_order_that_would_do():
    assert told(step("a", "c"), step("b", "a"), "{id: c, uses: tell, with: {to: team}}") == [
        "steps.c has no results yet, because 'c' runs later: use the order c, a, b"
    ]


def test_steps_that_wait_for_one_another_are_told_that_no_order_would_do():
    assert told(step("a", "b"), step("b", "a")) == [
        "steps.b has no results yet, because 'b' runs later: "
        "no order works, because 'a' and 'b' read each other's results; remove one reference"
    ]


def test_a_step_that_reads_itself_is_told():
    assert told(step("a", "a")) == ["steps.a is this step: read the results of an earlier step"]


def test_a_step_of_on_failure_reads_every_step_of_do():
    step = "{uses: tell, with: {to: team}, if: '${steps.tell.x}'}"
    assert problems(f"{HEAD}{TELL}    on_failure: [{step}]\n") == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("    order: {kye: x, by: y}\n", "order.kye: unknown key (did you mean 'key'?)"),
        (
            "    require: {metric_tag: x, at_leest: 1}\n",
            "require.at_leest: unknown key (did you mean 'at_least'?)",
        ),
        ("    dedup: x\n", "dedup: unknown key (did you mean 'dedupe'?)"),
        ("    dedupe: '${modl.name}'\n", "unknown name 'modl' (did you mean 'model'?)"),
        ("    dedupe: '${model.name | lowr}'\n", "unknown filter 'lowr' (did you mean 'lower'?)"),
    ],
)
def test_what_nearly_has_a_name_is_told_the_name(line: str, told: str):
    assert any(told in problem for problem in problems(HEAD + line + TELL))


def test_a_message_template_that_nearly_has_a_name_is_told_the_name():
    text = FILE.replace(
        "run_ml_pipeline, with: {component: 'train:1'}", "notify, with: {to: t, template: run-faild}"
    )
    with pytest.raises(Exception, match=r"unknown template 'run-faild' \(did you mean 'run-failed'\?\)"):
        load_rules_text(text % ("run.completed", BREAKER), Path("rules.yaml"), Settings())


def test_a_file_without_an_allow_list_says_so():
    [warning] = [one for one in load_text(HEAD + TELL).warnings if one.path == "workspaces"]
    assert "acts on events from every workspace" in warning.text


@pytest.mark.parametrize(("more", "loops"), [("", 0), (", workspace: prod", 1)])
def test_a_copy_in_a_registry_causes_no_event_and_one_in_a_workspace_does(more: str, loops: int):
    provider = "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices"
    rules = load_rules_text(
        f"""\
version: 1
connections:
  models: {{type: ml_registry, id: {provider}/registries/models}}
  prod: {{type: ml_workspace, id: {provider}/workspaces/prod}}
rules:
  - id: promote
    event: model.registered
    where: {{model: {{name: fraud}}}}
    do: [{{uses: share_model, with: {{registry: models{more}}}}}]
""",
        Path("rules.yaml"),
        Settings(),
    )
    assert len([one for one in others(rules) if "starts this rule again" in one]) == loops
