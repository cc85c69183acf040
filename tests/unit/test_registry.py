"""Elements are found by name, in their package and in modules that are added."""

from pathlib import Path

import pytest

from mlevents.registry import DuplicateNameError, Registry, UnknownNameError

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
    assert tool.load_modules(["added_hammer"]) == ["hammer"]
    assert tool.find("hammer").__module__ == "added_hammer"
    with pytest.raises(UnknownNameError, match=r"unknown tool 'hamer' \(did you mean 'hammer'\?\)"):
        tool.find("hamer")


def test_two_elements_of_one_name_are_an_error_that_says_where_both_are(outside: Path):
    write_element(outside, "first_saw", "saw")
    write_element(outside, "second_saw", "saw")
    wanted = "two tools are named 'saw', in first_saw and second_saw: rename one"
    with pytest.raises(DuplicateNameError, match=wanted):
        tool.load_modules(["first_saw", "second_saw"])
