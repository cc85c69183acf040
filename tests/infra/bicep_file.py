"""Reads Bicep without its compiler, which no package registry has: syntax, declarations, references."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tree_sitter
import tree_sitter_bicep
from tree_sitter import Node

INFRA = Path(__file__).resolve().parents[2] / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))
DECLARATIONS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


@dataclass(frozen=True)
class Declaration:
    """One statement of a file: a parameter, variable, resource, module or output."""

    kind: str
    name: str
    node: Node
    description: bool
    secure: bool

    @property
    def target(self) -> str:
        """A resource's type with its API version, or a module's path."""
        return next(text(child) for child in self.node.named_children if child.type == "string").strip("'")

    @property
    def existing(self) -> bool:
        """A resource that is looked up, not made."""
        return any(text(child) == "existing" for child in self.node.children)

    @property
    def required(self) -> bool:
        """A parameter without a default."""
        return not any(text(child) == "=" for child in self.node.children)

    @property
    def default(self) -> str:
        """What a parameter is when nobody gives it, as written; empty when it is required."""
        return text(self.node).partition("=")[2].strip()

    @property
    def body(self) -> Node:
        """The object of a resource or module, inside its loop and its condition."""
        return next(_objects(self.node))


def text(node: Node) -> str:
    """What a node says."""
    return (node.text or b"").decode()


def walk(node: Node) -> Iterator[Node]:
    """A node and everything in it."""
    yield node
    for child in node.children:
        yield from walk(child)


@cache
def tree(path: Path) -> Node:
    """The syntax tree of a file."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
    return parser.parse(path.read_bytes()).root_node


def syntax_errors(path: Path) -> list[str]:
    """Where a file does not parse."""
    broken = [node for node in walk(tree(path)) if node.type == "ERROR" or node.is_missing]
    return [f"{path.name}:{node.start_point[0] + 1}: {text(node)[:60]!r}" for node in broken]


def declarations(path: Path, *kinds: str) -> list[Declaration]:
    """The statements of these kinds, in order; all of them when none is named."""
    found: list[Declaration] = []
    decorators: set[str] = set()
    for node in tree(path).named_children:
        if node.type == "decorators":
            decorators = {text(one).removeprefix("@").split("(")[0] for one in node.named_children}
            continue
        if kind := DECLARATIONS.get(node.type):
            name = next(text(child) for child in node.named_children if child.type == "identifier")
            described = bool(decorators & {"description", "sys.description"})
            found.append(Declaration(kind, name, node, described, "secure" in decorators))
        decorators = set()
    return [one for one in found if not kinds or one.kind in kinds]


def properties(body: Node) -> dict[str, Node]:
    """An object's values by name."""
    pairs = [child.named_children for child in body.named_children if child.type == "object_property"]
    return {text(pair[0]).strip("'"): pair[-1] for pair in pairs}


def at(body: Node, path: str) -> str:
    """What stands at a dotted path of an object; empty when nothing does."""
    node = body
    for name in path.split("."):
        found = properties(node).get(name)
        if found is None:
            return ""
        node = found
    return text(node)


def strings(path: Path, variable: str) -> list[str]:
    """The texts in a variable that is a list."""
    node = next(one.node for one in declarations(path, "var") if one.name == variable)
    return [text(one).strip("'") for one in walk(node) if one.type == "string"]


def calls(path: Path, function: str) -> list[list[str]]:
    """The arguments of every call of a function, as written."""
    found = [node for node in walk(tree(path)) if node.type == "call_expression"]
    named = [node for node in found if text(node.named_children[0]) == function]
    return [[text(one).strip("'") for one in node.named_children[1].named_children] for node in named]


def _objects(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type == "object":
            yield child
        elif child.type in ("for_statement", "if_statement"):
            yield from _objects(child)
