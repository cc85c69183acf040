"""The part of Jinja2's expressions that rules may use, and its compiler.

mlevents looks up the values, not Jinja2: each dotted name becomes one variable, so no expression
can reach an attribute or a method.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from mlevents.conditions.condition import is_finite
from mlevents.expressions.environment import ENVIRONMENT, JOIN_FILTER, NamePath
from mlevents.expressions.filters import FILTERS
from mlevents.registry import suggest_names

MAX_EXPRESSION_LENGTH = 2000
MAX_EXPRESSION_DEPTH = 40

_ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos)
_LOGIC = (nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not)
_ALLOWED = (nodes.Const, nodes.List, nodes.Dict, nodes.Pair, *_ARITHMETIC, *_LOGIC)
_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls are not allowed: use a filter, as in `name | lower`",
    nodes.Test: "tests with `is` are not allowed: compare, or use `default(…)`",
    nodes.Pow: "`**` is not allowed",
    nodes.Tuple: "tuples are not allowed: write a list in [ ]",
    nodes.Slice: "slices are not allowed: use `truncate(n)`",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: called with the values of its paths, in their order."""

    paths: tuple[NamePath, ...]
    call: Callable[[list[Any]], Any]


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The expression in a text; raises ValueError, with the remedy, for what is not allowed.

    Its code is made when it is first called: that takes the most time, and few expressions of a file are.
    """
    if len(source) > MAX_EXPRESSION_LENGTH:
        raise ValueError(
            f"the expression is {len(source)} characters long: keep it within {MAX_EXPRESSION_LENGTH}"
        )
    try:
        reader = _Reader()
        tree = reader.visit(parse_expression(source))
    except TemplateSyntaxError as error:
        raise ValueError(f"{error.message}") from error
    except RecursionError as error:
        raise ValueError("the expression is nested too deeply") from error
    make_code = cache(partial(_make_code, tree))
    return Expression(
        tuple(reader.paths), lambda values: make_code()({_variable(i): v for i, v in enumerate(values)})
    )


def _make_code(tree: nodes.Expr) -> TemplateExpression:
    tree.set_environment(ENVIRONMENT)
    assign = nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)
    template = ENVIRONMENT.from_string(nodes.Template([assign], lineno=1))
    return TemplateExpression(template, undefined_to_none=False)


class _Reader(NodeTransformer):
    """Rejects what is not in the grammar, and turns each path into one variable."""

    def __init__(self) -> None:
        self.paths: list[NamePath] = []
        self.visitors: Mapping[type[nodes.Node], Callable[[Any], nodes.Node]] = {
            nodes.Const: self._const,
            nodes.Name: self._path,
            nodes.Getattr: self._path,
            nodes.Getitem: self._path,
            nodes.Concat: self._concat,
            nodes.CondExpr: self._choice,
            nodes.Filter: self._filter,
        }

    def get_visitor(self, node: nodes.Node) -> Any:
        """The visitor of this kind of node; None to visit its children only."""
        if type(node) in self.visitors:
            return self.visitors[type(node)]
        if isinstance(node, _ALLOWED):
            return None
        kind = type(node).__name__.lower()
        raise ValueError(_REFUSED.get(type(node), f"{kind} is not allowed in an expression"))

    def _const(self, node: nodes.Const) -> nodes.Node:
        is_real = isinstance(node.value, float)
        if is_real and not is_finite(node.value):
            raise ValueError("a number is out of range")
        return node

    def _path(self, node: nodes.Node) -> nodes.Node:
        path = read_path(node)
        if path not in self.paths:
            self.paths.append(path)
        return nodes.Name(_variable(self.paths.index(path)), "load", lineno=1)

    def _concat(self, node: nodes.Concat) -> nodes.Node:
        parts = nodes.List([self.visit(part) for part in node.nodes], lineno=node.lineno)
        return nodes.Filter(parts, JOIN_FILTER, [], [], None, None, lineno=node.lineno)

    def _choice(self, node: nodes.CondExpr) -> nodes.Node:
        if node.expr2 is None:
            raise ValueError("an `if` without `else` may have no value: add `else`")
        return self.generic_visit(node)

    def _filter(self, node: nodes.Filter) -> nodes.Node:
        _check_filter(node)
        return self.generic_visit(node)


def _check_filter(node: nodes.Filter) -> None:
    known = FILTERS.get(node.name)
    if known is None:
        near = suggest_names(node.name, FILTERS)
        raise ValueError(f"unknown filter '{node.name}'{near}")
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise ValueError(f"the filter '{node.name}' takes its arguments by position")
    if not known.least <= len(node.args) <= known.most:
        wanted = str(known.most) if known.least == known.most else f"{known.least} to {known.most}"
        raise ValueError(f"the filter '{node.name}' takes {wanted} argument(s), not {len(node.args)}")
    if known.counts and not all(_is_count(argument) for argument in node.args):
        raise ValueError(
            f"the filter '{node.name}' takes a whole number from 1 to 10000, as in {node.name}(30)"
        )


def _is_count(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Const) and type(node.value) is int and 1 <= node.value <= 10_000


def read_path(node: nodes.Node) -> NamePath:
    """The path that a node names; raises ValueError if it is not a path."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        return (*read_path(node.node), node.attr)
    if isinstance(node, nodes.Getitem):
        return (*read_path(node.node), _key(node.arg))
    raise ValueError("only names have fields: write a dotted path, as in model.tags.stage")


def _key(node: nodes.Expr) -> str | int:
    if type(node) in _REFUSED:
        raise ValueError(_REFUSED[type(node)])
    key = node.value if isinstance(node, nodes.Const) else None
    if type(key) is str or type(key) is int:
        return key
    raise ValueError("a key in [ ] is a text in quotes, or a whole number")


def parse_expression(source: str) -> nodes.Expr:
    """The tree of an expression; raises ValueError or TemplateSyntaxError."""
    parser = Parser(ENVIRONMENT, source, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        raise ValueError(f"'{parser.stream.current.value}' is not expected here")
    level: list[nodes.Node] = [tree]
    for _ in range(MAX_EXPRESSION_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
    if level:
        raise ValueError(f"the expression is nested deeper than {MAX_EXPRESSION_DEPTH} levels: split it")
    return tree


def _variable(index: int) -> str:
    return f"value_{index}"
