"""YAML without its traps, with the place of everything."""

from typing import Any

import pytest

from mlevents.yamlfile.reader import parse_yaml


def value(text: str) -> Any:
    document = parse_yaml(text, "f.yaml")
    assert document.problems == []
    return document.value


WORDS = """on off yes no True FALSE y Null 0x10 0o7 007 1_000 12:30:00 1e3 2001-01-01 .5 5. +5 .inf .nan =
1.1.1 99999999999999999999999999"""


@pytest.mark.parametrize("text", WORDS.split())
def test_what_yaml_would_convert_stays_text(text: str):
    assert value(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("0.5", 0.5),
        ("-1.25", -1.25),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
    ],
)
def test_only_these_mean_more_than_their_text(text: str, meaning: object):
    found = value(f"a: {text}")["a"]
    assert found == meaning
    assert isinstance(found, type(meaning))


def test_a_number_remembers_its_digits():
    assert str(value("a: 1.10")["a"]) == "1.10"


def test_keys_are_always_text():
    assert value("{on: 1, 5: 2, true: 3, null: 4, 1.10: 5}") == {
        "on": 1,
        "5": 2,
        "true": 3,
        "null": 4,
        "1.10": 5,
    }


def test_anchors_and_merges_work():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {x: 5, z: 4}]}\nd: *a\n"
    one = {"x": 1, "y": 2}
    assert value(text) == {"a": one, "b": {"x": 1, "y": 3}, "c": {**one, "z": 4}, "d": one}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]", "f.yaml:1:8: a[0]: the alias '*a' names the value that it is in"),
        ("a: *a", "f.yaml:1:4: a: the alias '*a' names no anchor"),
        ("a: 1\nb: {c: 1, c: 2}", "f.yaml:2:11: b.c: the key 'c' is a duplicate of the key in line 2"),
        ("a: {<<: 5}", "f.yaml:1:5: a: '<<' takes a mapping"),
        ("? [a]\n: b", "f.yaml:1:3: a key must be text"),
        ("a: &n 5\nb: {*n : 1}", "f.yaml:2:5: b: a key must be text"),
        ("x: {? , a: 1}", "f.yaml:1:7: x: a key is missing before ':'"),
        ("{? , a: 1}", "f.yaml:1:4: a key is missing before ':'"),
        ("a: !!python/name:os.system x", "f.yaml:1:4: a: the tag 'tag:yaml.org,2002:python/name:os.system'"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins here"),
        ("a: \ud800", "f.yaml:1:4: the character U+D800"),
        ("é: 1\nb: 'x", "f.yaml:2:6: this is not YAML: found unexpected end of stream"),
        ("\t- a", "f.yaml:1:1: this is not YAML: found character that cannot start any token"),
        ("[" * 100_000, "f.yaml:1:101: lists and mappings nest deeper than 100 levels"),
    ],
)
def test_a_problem_is_reported_at_its_place(text: str, message: str):
    [found] = parse_yaml(text, "f.yaml").problems
    assert str(found).startswith(message)


def test_a_bomb_of_aliases_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    [found] = parse_yaml("\n".join(lines), "f.yaml").problems
    assert "aliases repeat more than" in found.text


def test_places_are_those_of_keys_and_items():
    document = parse_yaml("a:\n  b.c: [1,\n    {d: 2}]\n  b: &x {c: 3}\ne: *x\nf: {<<: *x}\n", "f.yaml")
    places = {
        "": (1, 1),
        "a": (1, 1),
        "a.b.c": (2, 3),
        "a.b.c[1]": (3, 5),
        "a.b.c[1].d": (3, 6),
        "a.b.c[7].d": (2, 3),
        "a.b": (4, 3),
        "e": (5, 1),
        "e.c": (4, 10),
        "f.c": (4, 10),
        "nothing.at.all": (1, 1),
    }
    assert {path: document.place(path) for path in places} == places


def test_a_merge_key_without_a_value_is_reported_at_its_place():
    [problem] = [one for one in parse_yaml("{<<", "rules.yaml").problems if "<<" in one.text]
    assert (problem.line, problem.column) == (1, 2)


def test_an_item_that_is_an_alias_has_its_own_place():
    document = parse_yaml("a: &a {b: 1}\nc: [x, *a]\n", "f.yaml")
    assert (document.place("c[1]"), document.place("c[1].b")) == ((2, 8), (1, 8))


def test_a_later_anchor_replaces_an_earlier_one_of_the_same_name():
    assert value("a: &x 1\nb: *x\nc: &x 2\nd: *x") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_problems_before_a_syntax_error_are_reported_too():
    found = [str(problem) for problem in parse_yaml("a: {b: 1, b: 2}\nc: *none\nd: [", "f.yaml").problems]
    assert [text.split(": ")[1] for text in found[:2]] == ["a.b", "c"]
    assert "this is not YAML" in found[2]
