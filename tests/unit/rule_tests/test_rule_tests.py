"""The tests in a rule file: what they give comes out as in reality, and what fails is told in its line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlevents.errors import RulesError
from mlevents.events import NAMES, Event
from mlevents.events.breach import TAG
from mlevents.events.event_forms import forms
from mlevents.events.event_type import Items, NameType
from mlevents.rule_tests.event_builder import build_event
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.settings import Settings

WORKSPACES = {
    name: f"/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    for name in ("prod", "test")
}
RULES = f"""\
version: 1
workspaces: {{prod: {WORKSPACES["prod"]}}}
connections: {{team: {{type: apprise, url: {{setting: HOOK}}}}}}
rules:
  - id: registered
    event: model.registered
    max_age: 24h
    where: {{model: {{name: {{prefix: fraud-}}, tags: {{stage: production, hold: {{absent: true}}}}}}}}
    do: [{{uses: notify, with: {{to: team, template: model-deployed}}}}]
  - id: drifted
    event: [drift.detected, model.deployed]
    dedupe: "${{drift.run}}"
    where: {{any: [{{drift: {{coefficient: {{gte: 0.3}}}}}}, {{drift: {{generation: v2}}}}]}}
    do: [{{uses: notify, with: {{to: team, template: model-deployed}}}}]
  - id: failed
    event: run.status_changed
    where: {{run: {{status: failed, root: true, monitor_breach: false}}}}
    do: [{{uses: notify, with: {{to: team, template: run-failed}}}}]
  - id: everything
    event: "*"
    mode: shadow
    do: [{{uses: notify, with: {{to: team, template: run-failed}}}}]
tests:
"""
GOOD = "model.registered: {model: {name: fraud-net, tags: {stage: production}}}"
STAGED = "model.registered: {model: {name: fraud-net, tags: {stage: draft}}}"
OLD = GOOD.replace("{model:", "{event: {time: '2030-01-01T00:00:00Z'}, model:")
BREACH = "drift.detected: {drift: {run: r1, signal: inputs, features: [a, b], monitor: m}}"
TAGGED = (
    f"run.status_changed: {{run: {{id: r1, status: Failed, tags: {{{TAG}: The signal 's' has failed}}}}}}"
)


def told(folder: Path, given: str, expect: str, more: str = "") -> list[str]:
    """What a file with this one test is told, without the place before the path."""
    test = f"  - name: it\n    given: {{{given}}}\n    expect: {expect}\n{more}"
    (folder / "rules.yaml").write_text(RULES + test)
    try:
        rules = load_and_test_rules(folder / "rules.yaml", Settings(environment={"HOOK": "json://localhost"}))
    except RulesError as error:
        return [f"{one.line - RULES.count(chr(10))} {one.path}: {one.text}" for one in error.problems]
    assert rules.tests == 1
    return []


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        (GOOD, "registered"),
        (GOOD, "[registered, everything]"),
        (GOOD, "{only: [registered, everything]}"),
        (GOOD, "{match: registered, not: [drifted, failed]}"),
        (GOOD, "{not: {drifted: event}}"),
        (STAGED, "{not: registered}"),
        (STAGED, "{not: {registered: where.model.tags.stage}, match: everything}"),
        ("drift.detected: {drift: {run: r1, coefficient: 0.3}}", "{dedupe: {drifted: r1}}"),
        ("drift.detected: {drift: {run: r1, coefficient: 0.2}}", "{not: {drifted: where.any}}"),
        (BREACH, "{match: drifted, not: {failed: where.run.status}}"),
        (TAGGED, "{match: drifted, not: {failed: where.run.monitor_breach}}"),
        ("run.status_changed: {run: {id: r1, status: failed}, workspace: prod}", "failed"),
        (
            "run.status_changed: {run: {id: r1, root: false, properties: {azureml.pipelinerunid: p}}}",
            "{not: failed}",
        ),
        ("run.completed: {run: {id: r1, status: Completed}}", "{only: everything}"),
    ],
)
def test_what_is_so_holds(tmp_path: Path, given: str, expect: str):
    assert told(tmp_path, given, expect) == []


@pytest.mark.parametrize(
    ("given", "expect", "said"),
    [
        (
            GOOD,
            "failed",
            "expect: 'it': expected failed to match, but event fails: wanted \"run.status_changed\", found",
        ),
        (STAGED, "registered", 'where.model.tags.stage fails: wanted "production", found "draft"'),
        (GOOD, "{not: registered}", "expect.not: 'it': expected registered not to match, but it matches"),
        (
            GOOD,
            "{not: {registered: where.model.tags.hold}}",
            "registered: 'it': expected registered not to match, for where.model.tags.hold, but it matches",
        ),
        (
            STAGED,
            "{not: {registered: where.model.tags.hold}}",
            "expected registered not to match for where.model.tags.hold, but where.model.tags.stage fails:",
        ),
        (
            STAGED,
            "{not: {registered: where.model.tags.hol}}",
            "registered has no condition where.model.tags.hol (did you mean 'where.model.tags.hold'?)",
        ),
        (
            GOOD,
            "{only: registered}",
            "expect.only: 'it': expected no other rule to match, but everything does",
        ),
        (GOOD, "{only: []}", "expected no other rule to match, but registered, everything do"),
        (
            BREACH,
            "{dedupe: {drifted: r2}}",
            "expect.dedupe.drifted: 'it': expected the dedupe value \"r2\", but it is",
        ),
        (GOOD, "{dedupe: {registered: x}}", "but the rule has no dedupe"),
    ],
)
def test_what_is_not_so_is_told_in_its_line(tmp_path: Path, given: str, expect: str, said: str):
    [found] = told(tmp_path, given, expect)
    assert found.startswith("3 tests[0].")
    assert said in found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "model.registred: {model: {name: x}}",
            "unknown event 'model.registred' (did you mean 'model.registered'?)",
        ),
        ("", "gives 0 events: give one, as in {model.registered: {…}}"),
        (
            "model.registered: {}",
            "model.registered: 'model.name' is required: it identifies the event",
        ),
        (
            "model.registered: x",
            "must be a mapping of names such as event, workspace, model, not the text 'x'",
        ),
        ("model.registered: {modl: {}}", "unknown name 'modl' (did you mean 'model'?)"),
        ("model.registered: {run: {}}", "unknown name 'run': use one of event, model, workspace"),
        ("model.registered: {model: {nme: x}}", "unknown name 'nme' (did you mean 'name'?)"),
        (
            "model.registered: {model: x}",
            "must be a mapping of name, version, tags, properties, not the text 'x'",
        ),
        ("model.registered: {model: {name: x, version: 1.10}}", 'model.version is text: write "1.10"'),
        ("model.registered: {model: {name: x, tags: {a.b: true}}}", 'model.tags.a.b is text: write "true"'),
        ("model.registered: {model: {name: x, tags: []}}", "model.tags is a map of texts, not a list"),
        ("model.registered: {model: {name: x}, workspace: prd}", "(did you mean 'prod'?)"),
        (
            "model.registered: {model: {name: x}, workspace: 5}",
            "must be the name of a workspace, not the number 5",
        ),
        ("model.registered: {model: {name: x, version: ''}}", "not '': an empty text counts as missing"),
        (
            "drift.detected: {drift: {run: x, coefficient: '0.3'}}",
            "drift.coefficient is a number, not the text '0.3'",
        ),
        ("drift.detected: {drift: {run: x, features: [1]}}", "drift.features is a list of texts, not a list"),
        (
            "drift.detected: {drift: {run: x, coefficient: 0.3, signal: s}}",
            "no such event has it together with the other",
        ),
        ("run.completed: {run: {id: x, root: false}}", "comes out as true, not false: it is computed"),
        ("run.completed: {run: {id: x, root: 'no'}}", "run.root is a boolean, not the text 'no'"),
        ("run.completed: {event: {time: tomorrow}, run: {id: x}}", "'tomorrow' is not an ISO 8601 time"),
        ("run.completed: {event: {type: x}, run: {id: x}}", "comes out as 'run.completed', not 'x'"),
    ],
)
def test_what_cannot_be_given_is_told_in_its_line(tmp_path: Path, given: str, said: str):
    [found] = told(tmp_path, given, "everything")
    assert found.startswith("2 tests[0].given")
    assert said in found


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("registred", "expect: unknown rule 'registred' (did you mean 'registered'?)"),
        ("{not: {registred: event}}", "expect.not.registred: unknown rule 'registred' (did you mean"),
        ("{nt: registered}", "expect.nt: unknown key (did you mean 'not'?)"),
        ("{registered: true}", "expect.registered: unknown key: use one of match, not, only, dedupe"),
        ("[]", "expect: names no rule: write `only: []` if no rule may match"),
        ("{}", "expect: expects nothing: write a rule's id, or one of match, not, only, dedupe"),
        ("5", "expect: must be a rule's id or a list of ids, not the number 5"),
        ("{match: [5]}", "expect.match: must be a rule's id or a list of ids, not a list"),
        ("{not: {registered: 5}}", "expect.not: must have the path of a condition for each rule"),
    ],
)
def test_what_cannot_be_expected_is_told_in_its_line(tmp_path: Path, expect: str, said: str):
    [found] = told(tmp_path, GOOD, expect)
    assert found.startswith("3 tests[0].")
    assert said in found


def test_mistakes_in_tests_are_told_beside_those_in_rules(tmp_path: Path):
    more = "  - {name: x, given: {nothing: {}}, expct: x}\n"
    found = told(tmp_path, GOOD, "nobody", more)
    assert [problem.split(":")[0] for problem in found] == [
        "3 tests[0].expect",
        "4 tests[1].given.nothing",
        "4 tests[1].expct",
    ]


def test_an_event_that_comes_too_late_is_not_acted_on(tmp_path: Path):
    early, late = ("    at: '2030-01-01T23:00:00+01:00'\n", "    at: '2030-01-02T00:00:01Z'\n")
    assert told(tmp_path, OLD, "registered", early) == []
    assert told(tmp_path, OLD, "{not: {registered: max_age}}", late) == []
    [found] = told(tmp_path, OLD, "registered", late)
    assert 'max_age fails: wanted "24 hours", found "2030-01-01T00:00:00Z"' in found
    [found] = told(tmp_path, OLD, "registered", "    at: noon\n")
    assert found == "4 tests[0].at: 'noon' is not a valid time: write one such as 2030-01-31T12:00:00Z"


def test_without_a_time_of_arrival_no_event_is_too_old(tmp_path: Path):
    assert told(tmp_path, OLD, "registered") == []


words = st.text("abc XYZ09.-_é", min_size=1, max_size=8).map(str.strip).filter(bool)
tags = st.dictionaries(words.map(lambda key: f"k{key}"), st.text("abc 1.é", max_size=5), max_size=3)
VALUES = {
    "text": words,
    "number": st.floats(-10, 10) | st.integers(-5, 5),
    "boolean": st.booleans(),
    "texts": tags,
    "list": st.lists(words.filter(lambda text: "," not in text), max_size=3, unique=True),
}
WORST = ("feature", "metric", "value", "threshold")
NUMBERS = st.floats(-10, 10)
BREACH_LISTS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"feature": words, "metric": words, "value": NUMBERS, "threshold": NUMBERS}
    ).filter(bool),
    max_size=3,
)
TIMES = st.sampled_from(["2030-01-01T00:00:00Z", "2031-12-31T23:59:59.123456Z"])


def values_of(kind: NameType) -> st.SearchStrategy[Any]:
    if isinstance(kind, Items):
        return BREACH_LISTS
    if isinstance(kind, Mapping):
        return st.fixed_dictionaries({}, optional={name: values_of(one) for name, one in kind.items()})
    return VALUES[kind]


@st.composite
def normalised(draw):
    """A kind, the workspace's name, and names as an event of this kind in one of its forms can have them."""
    kind = draw(st.sampled_from(sorted(NAMES)))
    form = draw(st.sampled_from(forms(kind)))
    carried = {
        root: {name: field for name, field in fields.items() if field.member or root == "drift"}
        for root, fields in form.fields.items()
    }
    names: dict[str, dict[str, Any]] = {root: {} for root in carried}
    for root, fields in carried.items():
        for name, field in fields.items():
            if (root, name) in (form.type.about, ("drift", "run")) or draw(st.booleans()):
                names[root][name] = draw(TIMES if name.startswith("window_") else values_of(field.type))
    computed = (*WORST, "features" if names.get("drift", {}).get("breaches") else "breaches")
    for name in computed if form.derived else (*WORST, "breaches"):
        names.get("drift", {}).pop(name, None)
    if "generation" in names.get("drift", {}):
        names["drift"]["generation"] = "v2" if form.derived else "v1"
    if "monitor_run" in names.get("drift", {}) and not form.derived:
        names["drift"]["monitor_run"] = names["drift"]["run"]
    if form.derived and kind == "drift.detected":
        names["run"]["id"] = names["drift"]["run"]
        names["drift"].setdefault("monitor_run", names["drift"]["run"])
        monitor = names["drift"].get("monitor")
        if "tags" in names["run"] and monitor:
            names["run"]["tags"].pop("monitor_name", None)
    elif form.derived:
        names.pop("drift")
    return kind, draw(st.sampled_from(sorted(WORKSPACES))), names


@settings(max_examples=300, deadline=None)
@given(normalised())
def test_what_is_given_comes_out_of_the_event_that_is_sent(sample):
    kind, workspace, names = sample
    event = build_event({kind: {**names, "workspace": workspace}}, WORKSPACES, None)
    assert isinstance(event, Event), event
    assert kind in event.kinds
    assert event.names["workspace"]["id"] == WORKSPACES[workspace]
    for root, fields in names.items():
        for name, value in fields.items():
            found = event.names[root].get(name)
            known = {key: found[key] for key in value} if isinstance(value, dict) else found
            assert value == known or not value


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*NAMES, "model", "name", "tags", "run", "id", "drift", "event", "time", "workspace"]
            ),
            inner,
            max_size=3,
        )
    ),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(NAMES)) | st.text(max_size=3), json, max_size=2))
def test_anything_given_is_an_event_or_told(given_event):
    found = build_event(given_event, WORKSPACES, None)
    assert isinstance(found, Event) or all(text for _, text in found)


AGE_BREACH = {"feature": "age", "metric": "JensenShannonDistance", "value": 0.4, "threshold": 0.1}


def given_drift(**drift: Any) -> Any:
    found = build_event({"drift.detected": {"drift": {"run": "r1", **drift}}}, WORKSPACES, None)
    return found.names["drift"] if isinstance(found, Event) else found


def test_given_breaches_or_the_worst_alone_are_those_of_a_monitor():
    assert given_drift(breaches=[AGE_BREACH | {"threshold": None}])["breaches"] == [
        {name: value for name, value in AGE_BREACH.items() if name != "threshold"}
    ]
    assert given_drift(**AGE_BREACH)["breaches"] == [AGE_BREACH]
    assert given_drift(features=["age", "size"], **AGE_BREACH)["features"] == ["age", "size"]
    assert given_drift(coefficient=0.4)["breaches"] == [{"metric": "coefficient", "value": 0.4}]


@pytest.mark.parametrize(
    ("drift", "path", "text"),
    [
        ({"breaches": {"metric": "m"}}, "breaches", "is a list of maps of feature, metric, value, threshold"),
        ({"breaches": ["m"]}, "breaches", "is a list of maps"),
        ({"breaches": [{"metrik": "m"}]}, "breaches[0].metrik", "unknown name 'metrik'"),
        ({"breaches": [{"value": "0.4"}]}, "breaches[0].value", "is a number"),
        ({"breaches": [AGE_BREACH], "feature": "size"}, "feature", "comes out as 'age', not 'size'"),
    ],
)
def test_breaches_that_cannot_be_given_are_told(drift: Any, path: str, text: str):
    [(found, said)] = given_drift(**drift)
    assert found == f"drift.detected.drift.{path}"
    assert text in said
