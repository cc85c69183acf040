"""Modules and functions stay short enough to be read at once."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("mlevents", "sandbox", "infra")
MODULE_LINES, FUNCTION_LINES = 200, 25

LONGER = {
    "mlevents/telemetry/__init__.py": "every span, metric and log attribute, to be compared at one look",
}
"""Modules and functions that may be longer, each with the reason."""


def too_long(root: Path, places: tuple[str, ...] = PLACES) -> Iterator[str]:
    """Each module, and each function as `module:function`, beyond the limit.

    A function is as long as what is below its signature: a command has a parameter for each option.
    """
    for file in sorted(path for place in places for path in (root / place).rglob("*.py")):
        text, name = file.read_text(encoding="utf-8"), str(file.relative_to(root))
        if len(text.splitlines()) > MODULE_LINES:
            yield name
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and (node.end_lineno or 0) - node.body[0].lineno >= FUNCTION_LINES
            ):
                yield f"{name}:{node.name}"


def test_modules_and_functions_are_short() -> None:
    assert set(too_long(ROOT)) - LONGER.keys() == set(), "cut it where one thing ends"


def test_a_test_module_has_a_name_of_its_own() -> None:
    """Pytest imports the modules by their names, without their folders, and collects no second one."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, number in names.items() if number > 1] == []


def test_what_may_be_longer_still_is() -> None:
    assert LONGER.keys() <= set(too_long(ROOT))


@pytest.mark.parametrize(("extra", "found"), [(0, []), (1, ["place/one.py", "place/one.py:long"])])
def test_the_limits_are_counted_in_lines(tmp_path: Path, extra: int, found: list[str]) -> None:
    body = "    pass\n" * (FUNCTION_LINES + extra)
    (tmp_path / "place").mkdir()
    padding = "# a line\n" * (MODULE_LINES - FUNCTION_LINES - 1)
    (tmp_path / "place" / "one.py").write_text(f"def long():\n{body}{padding}")
    assert list(too_long(tmp_path, ("place",))) == found
