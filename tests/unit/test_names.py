"""One public name has one meaning, and modules are named by nouns that an engineer can look up."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SHARED = {
    "blueprint": "each module of handlers has its own, found by this name",
    "log": "each module's own logger",
}
"""Names that several modules define on purpose, each with the reason."""

NOT_NOUNS = frozenset(
    [
        "aside",
        "before",
        "canaries",
        "carry",
        "delivered",
        "examined",
        "given",
        "held_back",
        "left_open",
        "marks",
        "possible",
        "raised",
        "ready",
        "seen",
        "shown",
        "stage",
        "standing",
        "supplied",
        "travelling",
        "wire",
        "wording",
        "matchable",
        "undelivered",
        "held",
        "told",
    ]
)
"""Participles, adjectives and riddles: a module is named after what it has."""

OPERATORS = "conditions"
"""A module here has the name of its operator, such as `absent`."""


def public_names(tree: ast.Module) -> Iterator[str]:
    """The functions, classes, constants and types that a module defines at its top level."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [
                    one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)
                ]
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.TypeAlias(name=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


def defined_twice(folder: Path) -> dict[str, set[str]]:
    """Each public name that several modules below a folder define, with these modules."""
    places: dict[str, set[str]] = defaultdict(set)
    for file in folder.rglob("*.py"):
        for name in public_names(ast.parse(file.read_text(encoding="utf-8"))):
            places[name].add(str(file.relative_to(folder)))
    return {name: found for name, found in places.items() if len(found) > 1}


def test_a_public_name_is_defined_in_one_module():
    twice = defined_twice(ROOT / "mlevents")
    unexpected = {name: sorted(places) for name, places in twice.items() if name not in SHARED}
    assert unexpected == {}, (
        "give one of them another name, or a leading underscore if only its module uses it"
    )


def test_every_shared_name_is_still_shared():
    assert SHARED.keys() <= defined_twice(ROOT / "mlevents").keys()


def test_modules_are_named_by_nouns():
    modules = [file for file in (ROOT / "mlevents").rglob("*.py") if file.parent.name != OPERATORS]
    adjectives = {
        str(file.relative_to(ROOT)) for file in modules if file.stem.rpartition("_")[2] in NOT_NOUNS
    }
    assert adjectives == set()


@pytest.mark.parametrize(
    "text",
    [
        "def load(): ...",
        "async def load(): ...",
        "class load: ...",
        "load = 1",
        "load: int = 1",
        "type load = int",
    ],
)
def test_names_are_found_however_they_are_defined(tmp_path, text):
    (tmp_path / "one.py").write_text(text)
    (tmp_path / "other.py").write_text(text)
    assert defined_twice(tmp_path) == {"load": {"one.py", "other.py"}}
