"""What an editor says of a key, and what it underlines."""

from pathlib import Path

import pytest

from mlevents.actions.action import action
from mlevents.events import NAMES
from mlevents.events.field_descriptions import describe_fields
from mlevents.rules.model_fields import list_fields
from mlevents.services.connection import connection
from tests.editor.language_server import CURSOR, LanguageServer
from tests.unit.markdown_page import Fence
from tests.unit.test_docs import fences, rule_file

ROOT = Path(__file__).resolve().parents[2]
RULE = "version: 1\nrules:\n  - id: one\n    event: {}\n"


def at(key: str) -> str:
    """The key with the cursor in it."""
    return f"{key[:1]}{CURSOR}{key[1:]}"


@pytest.mark.parametrize(("name", "element"), action.items())
def test_every_parameter_of_an_action_is_explained(editor: LanguageServer, name: str, element: type):
    for key, field in list_fields(element).items():
        step = f"    do:\n      - uses: {name}\n        with:\n          {at(key)}: ${{x}}\n"
        said = (field.description or "").replace("\n", " ")
        assert plain(said)[1:40] in plain(editor.hover(RULE.format('"*"') + step)), key


@pytest.mark.parametrize(("name", "element"), connection.items())
def test_every_parameter_of_a_connection_is_explained(editor: LanguageServer, name: str, element: type):
    for key, field in list_fields(element).items():
        text = f"version: 1\nconnections:\n  one:\n    type: {name}\n    {at(key)}: {{setting: NAME}}\n"
        assert plain(field.description or "")[1:40] in plain(editor.hover(text)), key


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_every_field_of_an_event_is_explained(editor: LanguageServer, kind: str):
    for root, fields in NAMES[kind].items():
        for field in fields:
            text = f"{RULE.format(kind)}    where:\n      {root}:\n        {at(field)}: {{present: true}}\n"
            assert plain(describe_fields()[root, field])[:40] in plain(editor.hover(text)), (root, field)


def plain(text: str) -> str:
    """The text without the characters that Markdown escapes."""
    return "".join(one for one in text if one.isalnum() or one == " ")


def test_a_hover_has_no_title_and_shows_code_as_code(editor: LanguageServer):
    text = (
        f"{RULE.format('model.registered')}    do:\n      - uses: notify\n        {at('with')}: {{to: a}}\n"
    )
    said = editor.hover(text)
    assert "`${…}`" in said
    assert "####" not in said


def test_the_shipped_rules_have_no_underlined_word(editor: LanguageServer):
    assert editor.diagnose((ROOT / "rules.yaml").read_text()) == []


@pytest.mark.parametrize("fence", fences("yaml"))
def test_no_example_of_the_documentation_is_underlined(editor: LanguageServer, fence: Fence):
    if fence.info[1:] != ["wrong"] and not fence.file.startswith(("deployments/", "docs/examples/")):
        assert editor.diagnose(rule_file(fence.text)) == []


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("    wher: {}\n", "wher"),
        ("    where: {run: {id: x}}\n", "run"),
        ("    where: {model: {nmae: x}}\n", "nmae"),
        ("    where: {model: {name: {prefx: x}}}\n", "prefx"),
        ("    do: [{uses: notfy}]\n", "notify"),
        ("    do: [{uses: notify, with: {too: x}}]\n", "too"),
        ("    do: [{uses: notify, with: {to: x, template: run-faild}}]\n", "run-failed"),
        ("    max_age: 24\n", "string"),
    ],
)
def test_a_mistake_is_underlined(editor: LanguageServer, line: str, mistake: str):
    assert mistake in "\n".join(editor.diagnose(RULE.format("model.registered") + line))


def test_a_file_of_a_rule_folder_is_not_underlined(editor: LanguageServer):
    assert editor.diagnose("version: 1\nconnections:\n  one: {type: apprise, url: {setting: NAME}}\n") == []


def test_an_environment_file_is_checked(environment: LanguageServer):
    good = "modes: {all: shadow}\nconnections: {mail: {to: [dev@example.com]}}\nsettings: {NAME: x}\n"
    assert environment.diagnose(good) == []
    for bad in ("mode: {}\n", "modes: {all: shadw}\n", "settings: {MLEVENTS_MODE: x}\n"):
        assert environment.diagnose(bad) != []
