"""A folder of rule files counts as one rule file, and every problem names the file that it is in."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import RulesError
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.rules.file import load_rules
from mlevents.rules.model import Rules
from mlevents.settings import Settings, find_default_rules

WORKSPACE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/%s"
SHARED = f"""\
version: 1
defaults: {{max_age: 24h, retry: {{attempts: 7, first: 1s}}}}
workspaces: {{prod: {WORKSPACE % "prod"}}}
connections: {{team: {{type: apprise, url: "json://localhost"}}}}
"""
TEAM = """\
version: 1
rules:
  - id: %s
    event: model.registered
    where: {model: {tags: {stage: production}}}
    do: [{uses: notify, with: {to: team, subject: New, text: model}}]
"""


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def load(folder: Path) -> Rules:
    return load_and_test_rules(folder, Settings())


def problems(folder: Path) -> list[str]:
    with pytest.raises(RulesError) as caught:
        load(folder)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_the_files_of_a_folder_are_one_rule_file_in_the_order_of_their_names(tmp_path: Path):
    rules = load(write(tmp_path / "rules", b=TEAM % "second", a=TEAM % "first", defaults=SHARED))
    assert [rule.id for rule in rules.rules] == ["first", "second"]
    assert list(rules.workspaces) == ["prod"]
    assert list(rules.connections) == ["team"]


def test_the_defaults_of_a_file_apply_to_its_own_rules_above_the_shared_ones(tmp_path: Path):
    own = "defaults: {retry: {attempts: 2}}\n"
    first, second = load(write(tmp_path, defaults=SHARED, a=TEAM % "first" + own, b=TEAM % "second")).rules
    assert (first.steps[0].retry.attempts, first.steps[0].retry.first, first.max_age) == (2, 1.0, 86_400)
    assert (second.steps[0].retry.attempts, second.max_age) == (7, 86_400)


def test_without_a_shared_file_the_defaults_of_one_file_reach_no_other(tmp_path: Path):
    top = SHARED.replace("defaults: {max_age: 24h, retry: {attempts: 7, first: 1s}}\n", "")
    own = "defaults: {max_age: 1h}\n"
    rules = load(write(tmp_path, a=TEAM % "first" + own, b=TEAM % "second", top=top))
    assert [rule.max_age for rule in rules.rules] == [3600, None]
    assert rules.defaults.max_age is None


def test_each_problem_names_its_own_file_line_and_path(tmp_path: Path):
    wrong = TEAM.replace("where:", "wher:") % "second"
    files = {"a": TEAM % "first", "b": wrong, "c": "version: 2\nruls: []\n", "defaults": SHARED}
    assert problems(write(tmp_path, **files)) == [
        "b.yaml:5:5: rules[0].wher: unknown key (did you mean 'where'?)",
        "c.yaml:1:1: version: must be 1, not the number 2",
        "c.yaml:2:1: ruls: unknown key (did you mean 'rules'?)",
    ]


def test_a_problem_below_a_section_names_its_own_file(tmp_path: Path):
    other = "version: 1\nconnections:\n  other: {type: apprise, url: 5}\nworkspaces: {x: y}\n"
    assert [one.partition(" ")[0] for one in problems(write(tmp_path, a=TEAM % "a", b=other, c=SHARED))] == [
        "b.yaml:3:26:",
        "b.yaml:4:14:",
    ]


def test_a_name_that_two_files_define_is_an_error_with_both_places(tmp_path: Path):
    more = "endpoints: [fraud-*]\nfilters: narrow\n"
    files = {"a": SHARED + more, "b": SHARED + more, "c": TEAM % "same", "d": TEAM % "same"}
    folder = write(tmp_path, **files)
    there = f"defined in {folder}/a.yaml"
    assert problems(folder) == [
        f"b.yaml:3:14: workspaces.prod: the workspace 'prod' is also {there}:3: keep one of the two",
        f"b.yaml:4:15: connections.team: the connection 'team' is also {there}:4: keep one of the two",
        f"b.yaml:5:13: endpoints[0]: 'fraud-*' is also {there}:5: keep one of the two",
        f"b.yaml:6:1: filters: 'filters' is also {there}:6: keep one of the two",
        f"d.yaml:3:5: rules[0].id: 'same' is also the id of the rule in {folder}/c.yaml:3: rename one",
    ]


def test_endpoints_of_all_files_are_allowed(tmp_path: Path):
    rules = load(write(tmp_path, a=SHARED + "endpoints: churn\n", b=TEAM % "b" + "endpoints: [fraud-*]\n"))
    assert rules.endpoints == ("churn", "fraud-*")


def test_the_tests_of_every_file_run(tmp_path: Path):
    test = (
        "tests:\n  - name: %s\n    given: {model.registered: {model: {name: n, tags: {stage: %s}}}}\n"
        "    expect: first\n"
    )
    good, bad = test % ("good", "production"), test % ("bad", "draft")
    folder = write(tmp_path, defaults=SHARED, a=TEAM % "first" + good)
    assert load(folder).tests == 1
    [problem] = problems(write(folder, b="version: 1\n" + bad))
    assert problem.startswith("b.yaml:5:5: tests[0].expect: 'bad': expected first to match")


def test_a_file_of_a_step_is_beside_the_folder_or_in_it(tmp_path: Path):
    folder = write(
        tmp_path / "rules", a=(TEAM % "a").replace("subject: New, text: model", "template: mail.txt")
    )
    write(folder, defaults=SHARED)
    step = "{uses: deploy_model, with: {endpoint: e, template: deployments/%s.yaml}}"
    (folder / "a.yaml").write_text(
        TEAM.partition("    do:")[0] % "a" + f"    do: [{step % 'small'}, {step % 'large'}]\n"
    )
    assert [one.partition(": ")[2].partition(" ")[0] for one in problems(folder)] == [
        "rules[0].do[0].with.template:",
        "rules[0].do[1].with.template:",
    ]
    template = "instance_type: Standard_DS3_v2\ninstance_count: 1\n"
    write(tmp_path / "deployments", small=template)
    write(folder / "deployments", large=template)
    assert sorted(load(folder).files) == ["deployments/large.yaml", "deployments/small.yaml"]
    (folder / "a.yaml").write_text((folder / "a.yaml").read_text().replace("deployments/large", "../outside"))
    assert "is outside the rule file's folder" in problems(folder)[0]


def test_a_folder_without_a_rule_is_refused(tmp_path: Path):
    assert "the folder has no rule file" in problems(write(tmp_path))[0]
    (tmp_path / "notes.txt").write_text("no rules")
    (tmp_path / "deep.yaml").mkdir()
    assert problems(write(tmp_path, a="version: 1\n")) == [
        "a.yaml:1:1: 'rules' is missing: list the rules, each with `id`, `event` and `do`"
    ]


def test_every_unreadable_file_of_a_folder_is_named(tmp_path: Path):
    found = problems(write(tmp_path, a="", b="- 1\n", c="version: [", d=SHARED))
    assert [one[:6] for one in found] == ["a.yaml", "b.yaml", "c.yaml"]


def test_the_default_is_the_file_or_else_the_folder(tmp_path: Path):
    assert find_default_rules(tmp_path) == tmp_path / "rules.yaml"
    write(tmp_path / "rules", a=TEAM % "a", defaults=SHARED)
    assert Settings.read({"AzureWebJobsScriptRoot": str(tmp_path)}).rules == tmp_path / "rules"
    (tmp_path / "rules.yaml").write_text(TEAM % "a")
    assert find_default_rules(tmp_path) == tmp_path / "rules.yaml"
    named = Settings.read({"AzureWebJobsScriptRoot": str(tmp_path), "MLEVENTS_RULES": "rules"})
    assert [rule.id for rule in load_rules(named.rules, named).rules] == ["a"]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 5))
def test_a_folder_has_the_rules_of_its_files_however_they_are_split(
    tmp_path_factory: pytest.TempPathFactory, files: list[int], attempts: int
):
    """A law: the same rules, in one file or in several, are the same rules."""
    folder = tmp_path_factory.mktemp("rules")
    head, _, one = TEAM.partition("  - id")
    for number in set(files):
        names = [f"r{index}" for index, file in enumerate(files) if file == number]
        (folder / f"{number}.yaml").write_text(head + "".join(f"  - id{one}" % name for name in names))
    (folder / "defaults.yaml").write_text(SHARED.replace("attempts: 7", f"attempts: {attempts + 1}"))
    alone = folder / "one.txt"
    order = [index for _, index in sorted((file, index) for index, file in enumerate(files))]
    shared = "\n".join(SHARED.replace("attempts: 7", f"attempts: {attempts + 1}").splitlines()[1:]) + "\n"
    alone.write_text(head + "".join(f"  - id{one}" % f"r{index}" for index in order) + shared)
    split, joined = (load_rules(path, Settings()).rules for path in (folder, alone))
    assert [one.id for one in split] == [f"r{index}" for index in order]
    assert [one.model_dump(exclude={"where"}) for one in split] == [
        one.model_dump(exclude={"where"}) for one in joined
    ]
