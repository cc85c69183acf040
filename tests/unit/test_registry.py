"""Elements are found by name, in their package and in modules that are added."""

import importlib
import sys
from pathlib import Path

import pytest

from mlevents.registry import DuplicateNameError, InvalidElementError, Registry, UnknownNameError

EMPTY_PACKAGE = "mlevents.yamlfile"


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of modules that can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write_element(folder: Path, module: str, name: str) -> None:
    text = f"from {__name__} import tool\n\n\n@tool('{name}')\nclass Element: ...\n"
    (folder / f"{module}.py").write_text(text)


tool = Registry[type]("tool", EMPTY_PACKAGE)


def test_a_module_outside_the_package_adds_its_elements(outside: Path):
    write_element(outside, "added_hammer", "hammer")
    assert "hammer" not in tool.names()
    importlib.import_module("added_hammer")
    assert tool.find("hammer").__module__ == "added_hammer"
    with pytest.raises(UnknownNameError, match=r"unknown tool 'hamer' \(did you mean 'hammer'\?\)"):
        tool.find("hamer")


def test_looking_one_name_up_imports_only_its_module(outside: Path):
    package = outside / "toolbox"
    (package / "small").mkdir(parents=True)
    for folder in (package, package / "small"):
        (folder / "__init__.py").touch()
    (package / "kinds.py").write_text(
        f"from {Registry.__module__} import Registry\nkind = Registry('t', 'toolbox')\n"
    )
    for module in ("hammer", "small/saw", "small/file"):
        name = module.rpartition("/")[2]
        (package / f"{module}.py").write_text(
            f'from toolbox.kinds import kind\n\n@kind("{name}")\nclass E: ...\n'
        )
    kind = importlib.import_module("toolbox.kinds").kind
    assert kind.find("saw").__module__ == "toolbox.small.saw"
    assert not {"toolbox.hammer", "toolbox.small.file"} & sys.modules.keys()
    assert "nail" not in kind
    assert kind.names() == ["file", "hammer", "saw"]


def test_two_elements_of_one_name_are_an_error_that_says_where_both_are(outside: Path):
    write_element(outside, "first_saw", "saw")
    write_element(outside, "second_saw", "saw")
    importlib.import_module("first_saw")
    wanted = "two tools are named 'saw', in .*/first_saw.py and .*/second_saw.py: rename one"
    with pytest.raises(DuplicateNameError, match=wanted):
        importlib.import_module("second_saw")


@pytest.mark.parametrize("name", ["", "a name", "1st", type, None])
def test_a_name_is_a_text_of_plain_characters(name: object):
    with pytest.raises(InvalidElementError, match="is not a name for this tool: give the decorator"):
        tool(name)  # type: ignore[arg-type]
