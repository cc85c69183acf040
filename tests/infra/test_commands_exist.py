"""Every command of `az`, `azd` and `func` that is written here exists, with these options."""

import re
from pathlib import Path

import pytest

from tests.infra.command_table import command_of, is_group, parse, table
from tests.infra.shell_commands import (
    PAGES,
    PIPELINES,
    ROOT,
    SCRIPTS,
    Written,
    everything,
    in_page,
    in_shell,
    syntax_errors,
)

COMMANDS = list(everything())
FLEX_REFUSES = "azure functionapp logstream"


@pytest.mark.parametrize(
    "one", COMMANDS, ids=lambda one: f"{one.place} {one.program} {' '.join(one.words[:3])}"
)
def test_a_command_exists_with_its_options(one: Written) -> None:
    if one.named and not parse(one.program, list(one.words))[0].command:
        assert is_group(one.program, list(one.words)), f"{one.program} {' '.join(one.words)} is not known"
    elif not one.named:
        assert parse(one.program, list(one.words))[1] == []


def test_commands_are_found_where_they_are() -> None:
    places = {one.place.split(":")[0] for one in COMMANDS}
    assert {"pausing.md", "deploying.md", "azure-portal.md", "coming-from.md"} <= places
    assert {path.name for path in PIPELINES[:4]} <= places
    assert {"preflight.py", "key_vault.py", "required_settings.py"} <= places
    assert len(COMMANDS) > 80


def test_the_table_holds_no_command_that_is_not_written() -> None:
    written = {(one.program, command_of(one.program, list(one.words))) for one in COMMANDS}
    called = {("az", command) for command in called_by_hooks()}
    listed = {(program, name) for program in ("az", "azd", "func") for name in table()[program]["commands"]}
    assert listed - written - called == set()


def called_by_hooks() -> set[str]:
    from tests.infra.azure_recorder import ANSWERS

    return set(ANSWERS) | {"provider register", "group delete"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "az eventgrid system-topic create -n n -g g -l l --deadletter-identity on",
            "unknown option --deadletter",
        ),
        (
            "az functionapp create --name n -g g --storage-account s --identity id",
            "unknown option --identity",
        ),
        ("az functionapp create -n n -g g -s s --assign-identity id-app", "--assign-identity id-app is not"),
        ("func azure functionapp logstream app", "not a known command"),
        ("func azure functionapp publish", "takes 1 words"),
        ("az group create --name g", "--location -l is required"),
        ("az group delete --name", "--name has no value"),
        ("az gruop create --name g", "not a known command"),
        ("az rest --method fetch --url /x", "fetch is none of"),
        ("azd env set NAME", "takes 0 or 2 words"),
        ("azd deploy --no-promt", "unknown option --no-promt"),
        ("STORE=$(az storage account show --nmae s --query id -o tsv)", "unknown option --nmae"),
        ("az provider register --namespace Microsoft.App --wait && az acount show", "not a known command"),
    ],
)
def test_a_mistake_is_found(line: str, said: str) -> None:
    found = [problem for one in in_shell(line, "here") for problem in parse(one.program, list(one.words))[1]]
    assert said in "\n".join(found)


def test_a_command_in_a_sentence_and_in_a_fence_is_found() -> None:
    fence = '```sh\naz login   # first\nX="$(az account show -o tsv)" \\\n  azd up\n```\n'
    found = in_page(f"See `az group create --nam x`, `az rest`.\n\n{fence}", "page.md")
    assert sorted((one.program, one.words[:2], one.named) for one in found) == [
        ("az", ("account", "show"), False),
        ("az", ("group", "create"), False),
        ("az", ("login",), False),
        ("az", ("rest",), True),
        ("azd", ("up",), False),
    ]


@pytest.mark.parametrize(
    "path", [path for path in SCRIPTS if path.name != "Makefile"], ids=lambda path: path.name
)
def test_a_script_is_shell(path: Path) -> None:
    assert syntax_errors(path.read_text()) == []


def test_no_page_sends_people_to_the_log_stream_of_core_tools() -> None:
    pages = [*PAGES, *(ROOT / "infra").rglob("*.py")]
    assert [path.name for path in pages if FLEX_REFUSES in path.read_text(encoding="utf-8")] == []


def test_no_script_pipes_a_download_into_a_shell() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (*PAGES, *PIPELINES, *SCRIPTS)}
    assert [name for name, text in texts.items() if re.search(r"(curl|wget)[^\n]*\| *(ba)?sh\b", text)] == []
