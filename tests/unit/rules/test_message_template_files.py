"""Message templates beside the rules: named by their files, and reported in one line when they are broken."""

from pathlib import Path

import pytest

from mlevents.actions.notify.message_templates import inserted_names, render
from mlevents.errors import PermanentError, RulesError
from mlevents.message_templates.template_engine import template_names
from mlevents.rules.extensions import load_extensions, use_extensions
from mlevents.rules.file import load_rules
from mlevents.settings import Settings
from tests.unit.stand_ins import WORKSPACE, step

RULES = """\
version: 1
connections: {team: {type: apprise, url: {setting: TEAM}}}
rules:
  - id: tell
    event: model.registered
    on_failure: []
    do: [{uses: notify, with: {to: team, template: NAME}}]
"""
SETTINGS = Settings(environment={"TEAM": "json://localhost"})
NAMES = {"model": {"name": "net", "version": "1", "tags": {"owner": "ann\nb"}}}


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "templates").mkdir()
    yield tmp_path
    use_extensions(tmp_path.parent / "nowhere" / "rules.yaml")


def load(project: Path, name: str):
    (project / "rules.yaml").write_text(RULES.replace("NAME", name))
    return load_rules(project / "rules.yaml", SETTINGS)


def find_faults(project: Path) -> list[str]:
    with pytest.raises(RulesError) as refusal:
        load_extensions(project / "rules.yaml")
    return str(refusal.value).replace(f"{project}/", "").splitlines()


@pytest.mark.parametrize("file", ["review.txt", "review.md", "review.txt.j2", "review"])
def test_a_file_is_a_template_by_its_name_without_the_ending(project: Path, file: str):
    (project / "templates" / file).write_text("Review {{ model.name }}\n\n{{ model.tags.owner }}\nplease")
    assert load(project, "review").rules
    assert render("review", step(NAMES)) == ("Review net", "ann b\nplease")


def test_it_is_gone_with_its_project(project: Path):
    (project / "templates" / "review.txt").write_text("Review\n")
    load_extensions(project / "rules.yaml")
    assert "review" in template_names()
    load_extensions(project / "elsewhere" / "rules.yaml")
    assert "review" not in template_names()


def test_a_mistyped_name_proposes_it(project: Path):
    (project / "templates" / "review.txt").write_text("Review\n")
    with pytest.raises(RulesError, match=r"unknown template 'reviw' \(did you mean 'review'\?\)"):
        load(project, "reviw")


@pytest.mark.parametrize("file", ["_part.txt", ".hidden", "small.yaml", "request.json"])
def test_other_files_are_no_templates(project: Path, file: str):
    (project / "templates" / file).write_text("{% broken")
    before = template_names()
    load_extensions(project / "rules.yaml")
    assert template_names() == before


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1:1: is empty: write the subject in the first line, and the text below it"),
        (
            "A\n\n{% if x %}",
            "3:1: Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or "
            "'endif'. The innermost block that needs to be closed is 'if'.: correct the template",
        ),
        ("A\n{{ model.name | shout }}", "2:1: No filter named 'shout'.: correct the template"),
        ("A\n{{ modle.name }}", "2:1: unknown name 'modle' (did you mean 'model'?)"),
        ("A\n\n{{ model.nmae }}", "3:1: unknown name 'model.nmae' (did you mean 'name'?)"),
        ("A\n{{ reason.cod }}", "2:1: unknown name 'reason.cod' (did you mean 'code'?)"),
        ("A\n{{ model['nmae'] }}", "2:1: unknown name 'model.nmae' (did you mean 'name'?)"),
        ("A\n{{ response.lnk }}", "2:1: unknown name 'response.lnk' (did you mean 'link'?)"),
        ("A\n{{ endpoint.nme }}", "2:1: unknown name 'endpoint.nme' (did you mean 'name'?)"),
        ("A\n{{ group.cont }}", "2:1: unknown name 'group.cont' (did you mean 'count'?)"),
        ("A\n\n{{ endpoint }}", "3:1: 'endpoint' is a map: write endpoint.link"),
        ("A\n{% include 'b.txt' %}", "2:1: a template cannot use another one: write its text here"),
    ],
)
def test_a_broken_template_is_one_line_with_its_place_and_the_remedy(project: Path, text: str, fault: str):
    (project / "templates" / "review.txt").write_text(text)
    assert find_faults(project) == [f"templates/review.txt:{fault}"]


def test_names_of_the_template_itself_are_known(project: Path):
    text = "A\n{% set x = 1 %}{% for one in range(x) %}{{ one }}{{ loop.index }}{% endfor %}{{ run.link }}"
    (project / "templates" / "review.txt").write_text(text)
    load_extensions(project / "rules.yaml")


def test_what_events_gates_and_steps_give_is_known(project: Path):
    names = (
        *("model.link", "run.link", "drift.link", "endpoint.link", "endpoint.name", "response.link"),
        *("reason.message", "group.count", "recovered.run", "expect.last", "failure.own", "steps.own.x"),
        *("deployed.model", "error", "topic", "event_type", "response.step", "model.tags.own"),
    )
    (project / "templates" / "review.txt").write_text("A\n" + "\n".join(f"{{{{ {one} }}}}" for one in names))
    load_extensions(project / "rules.yaml")


def test_an_own_template_inserts_links(project: Path):
    text = "A\n{{ model.link }} {% for one in group.events %}{{ one.model.link }}{% endfor %} {{ run.link }}"
    (project / "templates" / "review.txt").write_text(text)
    load_extensions(project / "rules.yaml")
    model = {"model": {"name": "net", "version": "1"}, "workspace": {"id": WORKSPACE}}
    _, written = render("review", step({**model, "group": {"count": 1, "events": [model]}}))
    link = f"https://ml.azure.com/model/net:1/details?wsid={WORKSPACE}"
    assert written == f"{link} {link}"


def test_a_former_name_of_a_template_is_a_warning(project: Path):
    texts = [one.text for one in load(project, "response-quarantined").warnings]
    assert "the template 'response-quarantined' is named 'quarantined' now: write quarantined" in texts
    assert "response-quarantined" not in template_names()


def test_a_name_of_mlevents_is_taken(project: Path):
    (project / "templates" / "run-failed.txt").write_text("Mine\n")
    assert find_faults(project) == [
        "templates/run-failed.txt:1:1: mlevents has a template 'run-failed': rename the file"
    ]


def test_two_files_cannot_have_one_name(project: Path):
    for file in ("a.md", "a.txt"):
        (project / "templates" / file).write_text("A\n")
    (fault,) = find_faults(project)
    assert fault == "templates/a.txt:1:1: templates/a.md is a template 'a' too: rename one of the two"


def test_what_is_no_text_is_one_line(project: Path):
    (project / "templates" / "a.txt").write_bytes(b"A\xff")
    assert find_faults(project) == ["templates/a.txt:1:2: the byte 0xff is not UTF-8: save the file as UTF-8"]


def test_templates_and_elements_are_reported_together(project: Path):
    (project / "templates" / "a.txt").write_text("{{")
    (project / "extensions").mkdir()
    (project / "extensions" / "b.py").write_text("1 / 0\n")
    assert [fault.split(":")[0] for fault in find_faults(project)] == ["extensions/b.py", "templates/a.txt"]


def test_a_template_that_fails_fails_its_step_with_its_name(project: Path):
    (project / "templates" / "odd.txt").write_text("{{ 1 // (model.name | length - 3) }}")
    load_extensions(project / "rules.yaml")
    with pytest.raises(PermanentError, match="the template 'odd' fails: ZeroDivisionError"):
        render("odd", step(NAMES))


def test_a_step_gets_the_tags_and_results_that_a_template_of_ones_own_may_insert():
    names = {**NAMES, "steps": {"ticket": {"number": "7"}}}
    assert inserted_names(names, "review") == names
    assert "tags" not in inserted_names(names, "model-deployed")["model"]
