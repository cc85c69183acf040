"""Strategies for rules and events: small pools, so that they often meet."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from mlevents.conditions.condition import operator
from mlevents.events import NAMES, parse
from mlevents.events.event_type import FieldType, Items, NameType
from mlevents.matching.where import bind_where
from mlevents.rules.model import Defaults, Rule, Rules

PREFIX = "Microsoft.MachineLearningServices."
TEXTS = ["production", "Production", "prod", "draft", "8", "0.92", "1e3", "true", "é", "É", "fraud-net"]
TEXTS += [
    "FRAUD-net",
    "fraud",
    "failed",
    "Completed",
    "x y",
    "\u212a",
    "k",
    "\u017f",
    "s",
    "",
    "-",
    "2.1",
    "azureml.StepRun",
]
NUMBERS = [0, 1, 0.3, 0.92, 8, 1000, -2.5]
REGEXES = [
    "prod.*",
    "(?i)FRAUD.*",
    r"\d+",
    ".",
    "(?-i)prod",
    "p(ro|x)d.*",
    "prod|draft",
    "pro?d(uction)?",
    "k+",
]
REGEXES += [".*-net", r"2\.1", "[^d]rod", "a*b?prod", "pr{0}rod", "(f)raud-net", r"x\ y"]
REGEXES += ["s|k", r".*[\]x]?d"]
TAGS = ["stage", "accuracy", "hold", "a.b", "x y", "azureml_modelmonitor_threshold_breached"]

texts = st.sampled_from(TEXTS)
some_text = texts.filter(bool)
numbers = st.sampled_from(NUMBERS)
text_lists = st.lists(texts, min_size=1, max_size=3)


def refuse(path: str, text: str) -> None:
    """A complaint about conditions that are meant to be good."""
    pytest.fail(f"{path}: {text}")


OPERANDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "text": {
        "equals": texts,
        "in": text_lists,
        "not-in": text_lists | texts,
        **dict.fromkeys(
            ("prefix", "suffix", "contains"), some_text | st.lists(some_text, min_size=1, max_size=3)
        ),
        "glob": st.sampled_from(["prod*", "*", "f?aud-*", "[fp]ro*", "8", "*-net", "*rod*", "f*t", "*[d]"]),
        "matches": st.sampled_from(REGEXES),
        "version": st.sampled_from([">=2", "<9, !=2.1", "==8", "~=2.0", "==2.*", "===8", ">1, <=2.1", ">a"]),
    },
    "boolean": {"equals": st.booleans()},
    "number": {"equals": numbers, "in": st.lists(numbers, min_size=1, max_size=3), "not-in": numbers},
    "list": {"equals": texts, "prefix": some_text, "not-in": text_lists},
    "any": dict.fromkeys(("present", "absent"), st.just(True)),
    "numeric": {
        **dict.fromkeys(("gt", "gte", "lt", "lte"), numbers),
        "between": st.tuples(numbers, numbers).map(sorted),
    },
}


def conditions(kind: NameType, said: Any = None) -> st.SearchStrategy[Any]:
    """Operator maps, scalars and lists that fit a field of this type; of `said` if the field has it."""
    if isinstance(kind, Items):
        return item_conditions(kind, said)
    if isinstance(kind, Mapping):
        return conditions_below(kind, said)
    if isinstance(said, str) and said:
        return near(said)
    known = OPERANDS[kind] | OPERANDS["any"] | (OPERANDS["numeric"] if kind in ("text", "number") else {})
    one = st.sampled_from(sorted(known)).flatmap(
        lambda name: known[name].map(lambda operand: {name: operand})
    )
    plain = st.one_of(OPERANDS[kind]["equals"], OPERANDS[kind].get("in", OPERANDS[kind]["equals"]))
    combined = st.builds(lambda a, b: {"any": [a, b]}, one, plain | one) | st.builds(
        lambda a: {"not": a}, one
    )
    if kind == "list":
        combined |= st.builds(lambda name, a: {name: a}, st.sampled_from(["any", "all"]), one | one)
    return plain | one | one | combined


def conditions_below(kind: Mapping[str, FieldType], said: Any) -> st.SearchStrategy[Any]:
    """Conditions on one of the names below a name."""
    fields = [
        tags_conditions((said or {}).get(name)).map(lambda tags: {"tags": tags})
        if type_ == "texts"
        else conditions(type_, (said or {}).get(name)).map(lambda one, name=name: {name: one})  # type: ignore[misc]
        for name, type_ in kind.items()
    ]
    return st.one_of(fields)


def tags_conditions(said: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A condition on one tag."""
    tags = st.sampled_from(sorted(said) if said else TAGS)
    return tags.flatmap(lambda tag: conditions("text", (said or {}).get(tag)).map(lambda one: {tag: one}))


def item_conditions(kind: Items, said: Any) -> st.SearchStrategy[Any]:
    """What one item, or each, of a list of maps must be; of one item of `said` if the field has it."""
    told = said[-1] if said else {}
    fields = {name: conditions(type_, told.get(name)) for name, type_ in kind.fields.items()}
    one = st.fixed_dictionaries({}, optional=fields).filter(bool)
    of_item = one | st.builds(lambda a, b: {"any": [a, b]}, one, one) | one.map(lambda part: {"not": part})
    quantified = st.builds(lambda name, part: {name: part}, st.sampled_from(["any", "all"]), of_item)
    plain = st.sampled_from([{"present": True}, {"absent": True}])
    return (
        quantified
        | plain
        | quantified.map(lambda part: {"not": part})
        | st.builds(lambda a, b: {"any": [a, b]}, quantified, quantified | plain)
    )


def near(said: str) -> st.SearchStrategy[Any]:
    """Conditions that hold for this text, or nearly do."""
    like = st.sampled_from([said, said.swapcase(), said.upper(), said.lower(), said[:2], said[-2:], said[1:]])
    one = st.sampled_from(["equals", "prefix", "suffix", "contains", "not-in"]).flatmap(
        lambda name: like.filter(bool).map(lambda operand: {name: operand})
    )
    return one | st.lists(like | some_text, min_size=1, max_size=3) | conditions("text")


@st.composite
def parts(draw: st.DrawFn, kinds: tuple[str, ...], event_names: Any = None) -> dict[str, Any]:
    """One field with its conditions, as nested maps."""
    names = {root: fields for kind in kinds for root, fields in NAMES[kind].items() if root != "event"}
    root = draw(st.sampled_from(sorted(names)))
    field, kind = draw(st.sampled_from(sorted(names[root].items())))
    said = (event_names or {}).get(root, {}).get(field)
    if kind == "texts":
        return {root: {field: draw(tags_conditions(said))}}
    return {root: {field: draw(conditions(kind, said))}}


def wheres(kinds: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Whole `where` maps for rules on these kinds."""
    part = parts(kinds)
    several = st.lists(part, min_size=1, max_size=3)
    alone = part | several.map(lambda them: {"all": them})
    return alone | st.builds(lambda a, b: {"any": [a, b]}, alone, part) | part.map(lambda one: {"not": one})


@st.composite
def rules(draw: st.DrawFn, most: int = 4) -> Rules:
    """Rule files of a few rules, some of them without a `where`."""
    found = []
    for number in range(draw(st.integers(1, most))):
        kinds = draw(
            st.sampled_from([*((kind,) for kind in NAMES), ("*",), ("run.status_changed", "drift.detected")])
        )
        known = tuple(NAMES) if kinds == ("*",) else kinds
        written = draw(st.none() | wheres(known) | wheres(known))
        where = written and bind_where(written, kinds, "where", lambda path, text: None)
        mode = draw(st.sampled_from(["live", "live", "live", "shadow", "disabled"]))
        found.append(Rule(id=f"r{number}", event=kinds, where=where or None, mode=mode, steps=()))
    return file_of(*found)


def file_of(*found: Rule) -> Rules:
    """A rule file with these rules."""
    return Rules(rules=found, workspaces={}, connections={}, defaults=Defaults(), path=Path("rules.yaml"))


def rule_of(
    where: Any = None, event: tuple[str, ...] = ("model.registered",), mode: str = "live", name: str = "r"
) -> Rule:
    """A rule with a `where` as written."""
    reports = []
    bound = bind_where(where, event, "where", lambda *report: reports.append(report)) if where else None
    assert not reports, reports
    return Rule(id=name, event=event, where=bound, mode=mode, steps=())


scalars = st.sampled_from(TEXTS) | st.sampled_from(NUMBERS) | st.booleans() | st.none()
tags = st.none() | st.dictionaries(st.sampled_from(TAGS), st.sampled_from(TEXTS) | scalars, max_size=5)
breaches = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "group": st.sampled_from(["prod", "Draft", "a's"]),
            "metric_value": numbers,
            "metric_name": st.sampled_from(["Accuracy", "JensenShannonDistance", "prod"]),
            "threshold_value": numbers,
        },
    ),
    max_size=3,
)


def breach_tag(others: Any, listed: Any) -> dict[str, Any]:
    """Tags with a breach as Azure writes it."""
    text = (
        f"The signal 's' has failed … violating the threshold are \n{[json.dumps(one) for one in listed]}\n"
    )
    return {**(others or {}), "azureml_modelmonitor_threshold_breached": text}


words = st.sampled_from([text for text in TEXTS if text])
DATA: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "ModelRegistered": {"modelTags": tags, "modelProperties": tags},
    "ModelDeployed": {
        "serviceName": scalars,
        "serviceComputeType": scalars,
        "modelIds": st.sampled_from(["fraud:1,k:2", "", None]),
        "serviceTags": tags,
        "serviceProperties": tags,
    },
    "RunCompleted": {"experimentName": scalars, "runType": scalars, "runStatus": scalars},
    "DatasetDriftDetected": {
        "dataDriftName": scalars,
        "driftCoefficient": st.none() | numbers,
        "baseDatasetId": scalars,
        "targetDatasetId": scalars,
        "startTime": st.sampled_from([None, "2019-07-04T00:00:00+00:00", "prod"]),
    },
}
DATA["RunCompleted"] |= {"runTags": tags, "runProperties": tags}
DATA["RunStatusChanged"] = DATA["RunCompleted"] | {"runTags": tags | st.builds(breach_tag, tags, breaches)}


SUBJECTS = {
    "ModelRegistered": "models/fraud:8",
    "ModelDeployed": "endpoints/fraud",
    "RunCompleted": "experiments/e/runs/r1",
    "RunStatusChanged": "experiments/e/runs/r1",
    "DatasetDriftDetected": "datadrift/d/run/d_1",
}


@st.composite
def wire_events(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """One raw event with its function's name, in either schema and either casing."""
    function = draw(st.sampled_from(sorted(DATA)))
    members = {key: draw(value) for key, value in DATA[function].items() if draw(st.integers(0, 4))}
    subject = SUBJECTS[function]
    if function == "ModelRegistered":
        name, version = draw(words), draw(words | st.sampled_from([1, 8]))
        subject = f"models/{name}:{version}"
        members |= {"modelName": name, "modelVersion": version} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        members = {key[0].upper() + key[1:]: value for key, value in members.items()}
    envelope = {"id": "1", "subject": subject, "data": members}
    if draw(st.booleans()):
        return function, envelope | {
            "topic": "/t",
            "eventType": PREFIX + function,
            "eventTime": "2026-03-02T09:00:00Z",
        }
    return function, envelope | {"source": "/t", "type": PREFIX + function, "specversion": "1.0"}


@st.composite
def close_pairs(draw: st.DrawFn) -> tuple[Rules, str, dict[str, Any]]:
    """One or two rules of one or two conditions that nearly hold for the event; and the event."""
    function, document = draw(wire_events())
    kind = WIRE_KINDS[function]
    part = parts((kind,), parse(document).names)
    found = []
    for number in range(draw(st.integers(1, 2))):
        written = {"all": draw(st.lists(part, min_size=1, max_size=2))}
        where = bind_where(written, (kind,), "where", lambda path, text: None)
        found += [Rule(id=f"r{number}", event=(kind,), where=where, steps=())] if where else []
    return file_of(*found), function, document


WIRE_KINDS = {
    "ModelRegistered": "model.registered",
    "ModelDeployed": "model.deployed",
    "RunCompleted": "run.completed",
    "RunStatusChanged": "run.status_changed",
    "DatasetDriftDetected": "drift.detected",
}

assert {name for known in OPERANDS.values() for name in known} == set(operator.names())
