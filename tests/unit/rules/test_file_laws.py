"""Laws of loading: any text and any structure gives rules or problems inside the file."""

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import Problem, RulesError
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.settings import Settings
from tests.unit.rules.rule_files import HEAD, TELL, load_text

LINES = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
GOOD = HEAD + TELL + "    where: {model: {tags: {a.b: [x, 'y'], n: {gte: 0.5}}}}\n"

WORDS = """version connections rules id event where do uses with to type tell run_factory chat factory tags
model drift any all not prefix gte mode retry defaults on_failure if timeout setting url a.b ${ }
${model.name} ${env.X} <<"""
words = st.sampled_from(WORDS.split())
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=8)
structures = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)


def holds(text: str) -> None:
    lines = LINES.split(text)
    for problem in found(text):
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.text


def found(text: str) -> list[Problem]:
    try:
        assert isinstance(load_text(text), Rules)
    except RulesError as error:
        return error.problems or [Problem("", 0, 0, "", "an error without a problem")]
    return []


@given(st.text())
def test_any_text_gives_rules_or_problems_inside_it(text: str):
    holds(text)


@given(st.text(alphabet="ab:-[]{}&*<!|>'\"#%?, \n\t0.${}\\"))
def test_any_punctuation_gives_rules_or_problems_inside_it(text: str):
    holds(text)


@given(structures)
def test_any_structure_gives_rules_or_problems(structure: object):
    holds(yaml.safe_dump(structure, allow_unicode=True))


@given(
    st.dictionaries(
        st.sampled_from(["version", "defaults", "rules", "connections", "workspaces"]), structures
    )
)
def test_any_content_of_the_sections_gives_rules_or_problems(sections: dict[str, object]):
    holds(yaml.safe_dump({"version": 1, "rules": [], **sections}))


@given(st.integers(0, len(GOOD)), st.integers(0, 12), st.text(max_size=6) | words)
def test_a_good_file_with_any_edit_gives_rules_or_problems(at: int, length: int, inserted: str):
    holds(GOOD[:at] + inserted + GOOD[at + length :])


@given(st.integers(0, len(GOOD) - 1))
def test_a_line_taken_twice_or_out_gives_rules_or_problems(number: int):
    lines = GOOD.splitlines(keepends=True)
    number %= len(lines)
    holds("".join(lines[:number] + lines[number + 1 :]))
    holds("".join([*lines[:number], lines[number], *lines[number:]]))


KEYS = "".join(f"{{}}unknown{n}: 1\n" for n in range(40_000))
RULE = "version: 1\nrules:\n  - id: a\n    event: model.registered\n"


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nrules: []\n" + KEYS.replace("{}", ""),
        RULE + "    do: [{uses: notify}]\n" + KEYS.replace("{}", "    "),
        RULE + "    where:\n      model:\n" + KEYS.replace("{}", "        ") + "    do: [{uses: notify}]\n",
        RULE + "    do:\n      - uses: notify\n        with:\n" + KEYS.replace("{}", " " * 10),
        "version: 1\nrules:\n  -\n" + KEYS.replace("{}", "    "),
    ],
)
def test_tens_of_thousands_of_unknown_keys_take_seconds_and_the_first_are_told(text: str, tmp_path: Path):
    """With a look through all keys for each of them, this would take many minutes."""
    began = time.process_time()
    with pytest.raises(RulesError) as refused:
        load_rules_text(text, tmp_path / "rules.yaml", Settings())
    assert time.process_time() - began < 20
    assert len(refused.value.problems) == 201
    assert any("there are at least 200 problems" in one.text for one in refused.value.problems)


def many_steps(text: str, count: int = 4000) -> str:
    """A rule with so many steps; `{}` in the text of one is its number."""
    head = "version: 1\nconnections: {c: {type: apprise, url: json://h.example}}\nrules:\n"
    steps = "".join(f"      - {text.replace('{}', str(number))}\n" for number in range(count))
    return f"{head}  - id: a\n    event: model.registered\n    do:\n{steps}"


@pytest.mark.parametrize(
    "text",
    [
        many_steps("{uses: notifi, with: {to: c, subject: s, text: t}}"),
        many_steps("{uses: notify, with: {to: c, subject: s, text: t, k{}: 1}}"),
        many_steps("{uses: notify, with: {to: d{}, subject: s, text: t}}"),
        many_steps("{id: same, uses: notify, with: {to: c, subject: s, text: t}}"),
        many_steps("{id: s{}, uses: notify, with: {to: c, subject: s, text: '${steps.s3999.sent}'}}"),
        many_steps("{id: s{}, uses: notify, with: {to: c, subject: s, text: '${steps.z{}.sent}'}}"),
        "version: 1\nconnections:\n" + "".join(f"  c{n}: {{type: nosuch}}\n" for n in range(40_000)),
        "version: 1\nrules: []\nworkspaces:\n" + "".join(f"  c{n}: nosuch\n" for n in range(40_000)),
    ],
)
def test_thousands_of_faulty_steps_and_connections_take_seconds(text: str, tmp_path: Path):
    """With a look through the steps before for each of them, this would take many minutes."""
    began = time.process_time()
    with pytest.raises(RulesError) as refused:
        load_rules_text(text, tmp_path / "rules.yaml", Settings())
    assert time.process_time() - began < 20
    assert len(refused.value.problems) == 201
    assert sum(len(one.text) for one in refused.value.problems) < 100_000


def test_thousands_of_good_steps_take_seconds_and_each_has_an_id_of_its_own(tmp_path: Path):
    text = many_steps("{uses: notify, with: {to: c, subject: s, text: t}}").replace(
        "      - {uses", "      - {id: notify_3, uses", 1
    )
    began = time.process_time()
    (rule,) = load_rules_text(text, tmp_path / "rules.yaml", Settings()).rules
    assert time.process_time() - began < 30
    ids = [step.id for step in rule.steps]
    assert ids[:4] == ["notify_3", "notify", "notify_2", "notify_4"]
    assert len(set(ids)) == 4000
