"""An event in words of a command line, and what it has that nobody wrote."""

import shlex
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.events import NAMES
from mlevents.events.event_type import Items
from mlevents.rule_tests.event_arguments import (
    ArgumentError,
    join_command,
    read_arguments,
    write_arguments,
)
from mlevents.rule_tests.event_builder import BuiltEvent, build_document
from mlevents.rule_tests.event_defaults import fill_defaults

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
KEYS = WORDS.filter(lambda key: "=" not in key)


def values(type_: Any) -> st.SearchStrategy[Any]:
    if isinstance(type_, Items):
        item = st.fixed_dictionaries({}, optional={name: values(one) for name, one in type_.fields.items()})
        return st.lists(item.filter(bool), min_size=1, max_size=3)
    if isinstance(type_, Mapping):
        return st.fixed_dictionaries({}, optional={name: values(one) for name, one in type_.items()}).filter(
            bool
        )
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "text": WORDS,
        "number": st.floats(-1e9, 1e9),
        "boolean": st.booleans(),
        "texts": st.dictionaries(KEYS, WORDS, min_size=1, max_size=3),
        "list": st.lists(WORDS.filter(lambda word: "," not in word), min_size=1, max_size=3),
    }
    return kinds[type_]


@st.composite
def written_names(draw: st.DrawFn) -> tuple[str, dict[str, dict[str, Any]]]:
    kind = draw(st.sampled_from(sorted(NAMES)))
    fields = [(root, name) for root in NAMES[kind] if root != "workspace" for name in NAMES[kind][root]]
    names: dict[str, dict[str, Any]] = {}
    for root, name in draw(st.lists(st.sampled_from(fields), unique=True, max_size=5)):
        names.setdefault(root, {})[name] = draw(values(NAMES[kind][root][name]))
    return kind, names


@given(written_names())
def test_what_is_written_as_arguments_reads_the_same(written: tuple[str, dict[str, dict[str, Any]]]):
    kind, names = written
    arguments = write_arguments(kind, names)
    assert read_arguments(kind, arguments) == names
    assert read_arguments(kind, shlex.split(join_command(arguments))) == names


@pytest.mark.parametrize(
    ("kind", "argument", "names"),
    [
        ("model.registered", "name=churn-x", {"model": {"name": "churn-x"}}),
        ("model.registered", "model.name=churn-x", {"model": {"name": "churn-x"}}),
        ("model.registered", "tags.release=yes", {"model": {"tags": {"release": "yes"}}}),
        ("model.registered", "tags.a.b=1=2", {"model": {"tags": {"a.b": "1=2"}}}),
        ("model.registered", "tags.accuracy=0.950", {"model": {"tags": {"accuracy": "0.950"}}}),
        ("model.registered", "event.id=e-1", {"event": {"id": "e-1"}}),
        ("model.deployed", "models=a:1,b:2", {"deployment": {"models": ["a:1", "b:2"]}}),
        ("run.completed", "properties.x=", {"run": {"properties": {"x": ""}}}),
        ("run.status_changed", "status=Failed", {"run": {"status": "Failed"}}),
        ("drift.detected", "coefficient=0.3", {"drift": {"coefficient": 0.3}}),
        ("drift.detected", "run=step-1", {"drift": {"run": "step-1"}}),
        ("drift.detected", "run.id=step-1", {"run": {"id": "step-1"}}),
        ("drift.detected", "breaches.0.metric=Recall", {"drift": {"breaches": [{"metric": "Recall"}]}}),
    ],
)
def test_paths_are_those_of_rules(kind: str, argument: str, names: dict[str, Any]):
    assert read_arguments(kind, [argument]) == names


@pytest.mark.parametrize(
    ("kind", "argument", "says"),
    [
        ("modle.registered", "name=x", "did you mean 'model.registered'?"),
        ("Microsoft.MachineLearningServices.ModelRegistered", "name=x", "write 'model.registered'"),
        ("job.completed", "name=x", "write 'run.completed'"),
        ("model.registered", "nam=x", "did you mean 'name'?"),
        ("model.registered", "tag.release=x", "did you mean 'tags.release'?"),
        ("model.registered", "modle.name=x", "did you mean 'model.name'?"),
        ("model.registered", "tags=x", "write model.tags.KEY=VALUE"),
        ("model.registered", "name.x=y", "write model.name=VALUE"),
        ("model.registered", "name", "write name=VALUE"),
        ("model.registered", "drift.value=1", "model.registered has no 'drift.value'"),
        ("model.registered", "workspace=prod", "--workspace"),
        ("drift.detected", "coefficient=much", "write a number"),
        ("drift.detected", "coefficient=nan", "write a number"),
        ("run.completed", "root=no", "write true or false"),
        ("drift.detected", "breaches=x", "drift.breaches.0.FIELD"),
        ("drift.detected", "breaches.1.value=1", "begin with 0"),
        ("drift.detected", "breaches.0.valu=1", "did you mean 'value'?"),
    ],
)
def test_a_mistake_is_answered_with_the_remedy(kind: str, argument: str, says: str):
    with pytest.raises(ArgumentError) as raised:
        read_arguments(kind, [argument])
    assert says in str(raised.value)


def test_a_name_with_two_values_is_refused():
    with pytest.raises(ArgumentError, match=r"'model\.version' has two values"):
        read_arguments("model.registered", ["version=1", "model.version=1"])


def build(kind: str, *arguments: str) -> BuiltEvent:
    built = build_document({kind: fill_defaults(kind, read_arguments(kind, arguments))}, {}, None)
    assert isinstance(built, BuiltEvent), built
    return built


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_an_event_of_each_type_needs_nothing_but_its_type(kind: str):
    event = build(kind).event
    assert kind in event.kinds
    assert event.names[kind.partition(".")[0] if kind != "model.deployed" else "deployment"]


def test_drift_is_one_of_todays_monitors_unless_only_the_older_generation_says_it():
    generations = {
        arguments: build("drift.detected", *arguments).event.names["drift"]["generation"]
        for arguments in [
            (),
            ("value=0.7", "metric=Recall"),
            ("signal=inputs",),
            ("breaches.0.metric=Recall",),
            ("run.status=Completed",),
            ("coefficient=0.4",),
            ("baseline=train",),
            ("generation=v1",),
            ("generation=v1", "value=0.3"),
            ("generation=v2",),
        ]
    }
    assert list(generations.values()) == ["v2"] * 5 + ["v1"] * 4 + ["v2"]


def test_what_is_written_has_no_default():
    drift = build("drift.detected", "value=0.7", "metric=Recall").event.names["drift"]
    assert drift["breaches"] == [{"metric": "Recall", "value": 0.7}]
    run = build("run.status_changed", "status=Failed", "type=azureml.StepRun").event.names["run"]
    assert (run["status"], run["root"]) == ("Failed", False)


def test_two_events_without_a_name_are_about_two_runs():
    assert build("run.completed").event.subject != build("run.completed").event.subject


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("run.failed", "write run.status_changed status=Failed"),
        ("job.cancelled", "write run.status_changed status=Canceled"),
        ("model.created", "write 'model.registered'"),
    ],
)
def test_another_name_of_an_event_gets_the_words_of_the_command_line(kind: str, remedy: str):
    with pytest.raises(ArgumentError) as raised:
        read_arguments(kind, [])
    assert str(raised.value) == f"unknown event type '{kind}': {remedy}"
    words = remedy.removeprefix("write ").replace("'", "").split()
    assert read_arguments(words[0], words[1:]) is not None
