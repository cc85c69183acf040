"""docs/architecture.md: its picture is drawn from the real imports, and what it names exists."""

import ast
import importlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from operator import attrgetter

import pytest

from tests.unit.markdown_page import names, read_page
from tests.unit.test_contracts import ROOT, imports

ARCHITECTURE = read_page(ROOT / "docs" / "architecture.md")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PRODUCT, AROUND = (
    [set(line.split(" | ")) for line in one["layers"]] for one in CONTRACTS if one["type"] == "layers"
)
SMALL_MODULES = "foundation"
"""The node of the picture that stands for the modules that need no package; one line of its label a layer."""

Edges = Mapping[str, set[str]]


def picture() -> list[str]:
    (fence,) = [one for one in ARCHITECTURE.fences if one.info == ["mermaid"]]
    return [line.strip() for line in fence.text.splitlines()[1:] if line.strip()]


def nodes(text: str) -> list[str]:
    return [re.sub(r"\[.*", "", node).strip() for node in text.split(" & ")]


def drawn_layers() -> list[set[str]]:
    return [set(nodes(line)) for line in picture() if "-->" not in line]


def small_modules() -> list[set[str]]:
    """The layers that are one node in the picture."""
    (label,) = re.findall(rf'{SMALL_MODULES}\["(.*)"\]', "\n".join(picture()))
    return [set(line.split(" · ")) for line in label.split("<br/>")]


def arrows() -> set[tuple[str, str]]:
    ends = [line.split("-->") for line in picture() if "-->" in line]
    return {(one, other) for tail, head in ends for one in nodes(tail) for other in nodes(head)}


def node_of(module: str) -> str | None:
    """The node of the picture that a module belongs to; None for the bare package and for tests."""
    root, _, inner = module.partition(".")
    if root != "mlevents":
        return None if root == "tests" else root
    first = inner.partition(".")[0]
    return SMALL_MODULES if any(first in layer for layer in small_modules()) else first or None


def nodes_of_package(module: str) -> set[str]:
    """The node of a module; for the package itself those that its functions import."""
    known = imports().modules
    inner = imports().find_modules_directly_imported_by(module) if module in known else set()
    return {node_of(one) or "" for one in ({module} if node_of(module) else inner)}


def real_imports() -> Edges:
    found: dict[str, set[str]] = defaultdict(set)
    for importer in imports().modules:
        for imported in imports().find_modules_directly_imported_by(importer):
            found[node_of(importer) or ""].add(node_of(imported) or "")
    tree = ast.parse((ROOT / "function_app.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found["function_app"] |= nodes_of_package(node.module)
    drawn = set().union(*drawn_layers())
    return {one: others & drawn - {one} for one, others in found.items() if one in drawn}


def reachable(edges: Edges, start: str, without: tuple[str, str] | None = None) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        one = ahead.pop()
        new = {other for other in edges.get(one, ()) if (one, other) != without} - found
        found |= new
        ahead += new
    return found


def test_the_picture_has_an_arrow_for_each_import_that_no_longer_way_implies():
    edges = real_imports()
    reduced = {
        (one, other)
        for one, others in edges.items()
        for other in others
        if other not in reachable(edges, one, without=(one, other))
    }
    differences = {"draw": sorted(reduced - arrows()), "remove": sorted(arrows() - reduced)}
    assert differences == {"draw": [], "remove": []}


def test_no_arrow_leads_back():
    edges = real_imports()
    assert [one for one in edges if one in reachable(edges, one)] == []


def test_the_lines_of_the_picture_are_the_layers_of_the_contracts():
    *above, last = drawn_layers()
    first, *below = small_modules()
    assert SMALL_MODULES in last
    drawn = [*above, last - {SMALL_MODULES} | first, *below]
    assert drawn == [{"function_app"}, *AROUND[1:-1], *PRODUCT]  # neither the tests, nor `mlevents` as one


def test_the_table_describes_each_package_from_top_to_bottom():
    listed = names([row[0] for row in ARCHITECTURE.tables["The picture"][0][1:]])
    small = set().union(*small_modules())
    for layer in (layer - small - {"__main__"} for layer in PRODUCT):
        assert set(listed[: len(layer)]) == layer
        del listed[: len(layer)]
    assert listed == []


def named() -> Iterator[tuple[str, str]]:
    """Each module with the function that a table puts beside it."""
    for tables in ARCHITECTURE.tables.values():
        for table in tables:
            if table[0][:2] == ["module", "function"]:
                yield from ((names(row)[0], names(row)[1]) for row in table[1:])


@pytest.mark.parametrize(("module", "function"), list(dict.fromkeys(named())))
def test_each_step_of_a_way_is_a_function_that_exists(module: str, function: str):
    assert callable(attrgetter(function)(importlib.import_module(module)))


def test_each_module_of_the_page_exists():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(mlevents(?:\.\w+)+)`", page))
    assert len(named) > 5
    assert named - imports().modules == set()


def places() -> list[str]:
    cells = [cell for row in ARCHITECTURE.tables["Where to put a new thing"][0][1:] for cell in row[1:]]
    return [name for name in names(cells) if "/" in name]


@pytest.mark.parametrize("place", sorted(set(places())))
def test_each_place_for_a_new_thing_exists(place: str):
    assert (ROOT / place).is_dir() if place.endswith("/") else (ROOT / place).is_file()
