"""Finds the commands of `az`, `azd` and `func` that this repository writes, wherever they are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bash
import yaml

from tests.infra.command_table import PROGRAMS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PIPELINES = [
    *(ROOT / ".github/workflows/mlevents.yml", ROOT / ".azuredevops/pipeline.yml"),
    *(ROOT / ".github/workflows/deploy.yml", ROOT / ".azuredevops/deploy.yml", ROOT / "azure.yaml"),
]
SCRIPTS = [*sorted((ROOT / "infra").rglob("*.sh")), ROOT / ".ci/run", ROOT / "Makefile"]
CODE = [
    path
    for folder in ("infra", "mlevents", "sandbox", "bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
SHELL = {"sh", "bash", "shell", "console"}
STARTS = re.compile(rf"(?:{'|'.join(PROGRAMS)})\s+[a-z]")


@dataclass(frozen=True)
class Written:
    """A command line: where it is, its words, and whether it is only named in a sentence."""

    place: str
    program: str
    words: tuple[str, ...]
    named: bool = False


def everything() -> Iterator[Written]:
    """Every command in pages, pipelines, scripts and messages."""
    for path in PAGES:
        yield from in_page(path.read_text(encoding="utf-8"), path.name)
    for path in PIPELINES:
        yield from in_pipeline(path.read_text(encoding="utf-8"), path.name)
    for path in SCRIPTS:
        yield from in_shell(path.read_text(encoding="utf-8"), path.name)
    for path in CODE:
        yield from in_sentences(_joined(path.read_text(encoding="utf-8")), path.name)


def in_page(text: str, name: str) -> Iterator[Written]:
    """The commands of a Markdown page: in fences of a shell, and between backticks."""
    prose: list[str] = []
    fence: list[str] = []
    language: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            if language is not None and (language in SHELL or not language):
                yield from in_shell("\n".join(fence), f"{name}:{number}")
            language, fence = (None if language is not None else line.strip("` ").split(" ")[0]), []
        elif language is not None:
            fence.append(line.removeprefix("$ "))
        prose.append("" if language is not None else line)
    yield from in_sentences("\n".join(prose), name)


def in_sentences(text: str, name: str) -> Iterator[Written]:
    """The commands between backticks; one without options is only named."""
    for found in re.finditer(r"(?<!`)`([^`]+)`(?!`)", text):
        if STARTS.match(found[1]):
            place = f"{name}:{text.count(chr(10), 0, found.start()) + 1}"
            for one in in_shell(found[1], place):
                yield Written(
                    one.place, one.program, one.words, named=not any(w.startswith("-") for w in one.words)
                )


def in_pipeline(text: str, name: str) -> Iterator[Written]:
    """The commands of every script of a pipeline."""
    for script in _scripts(yaml.safe_load(text)):
        yield from in_shell(script, name)


def in_shell(text: str, place: str) -> Iterator[Written]:
    """The commands of a shell script, those within others among them."""
    text = re.sub(r"(?<!<)<([a-z][\w ]*)>", "PLACEHOLDER", text)
    for node in _walk(_tree(text)):
        if node.type == "command":
            words = [_word(child) for child in node.children if child.type not in ("variable_assignment",)]
            program = words[0].removeprefix("@") if words else ""
            if program in PROGRAMS:
                yield Written(place, program, tuple(word for word in words[1:] if word))


def syntax_errors(text: str) -> list[str]:
    """What is not shell."""
    text = re.sub(r"(?<!<)<([a-z][\w ]*)>", "PLACEHOLDER", text)
    return [_text(node)[:60] for node in _walk(_tree(text)) if node.type == "ERROR" or node.is_missing]


@cache
def _tree(text: str) -> tree_sitter.Node:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
    return parser.parse(text.encode()).root_node


def _walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def _word(node: tree_sitter.Node) -> str:
    """A word without its quotes; redirections and comments are none."""
    if node.type in ("file_redirect", "heredoc_redirect", "herestring_redirect", "comment"):
        return ""
    text = _text(node)
    return text[1:-1] if node.type in ("string", "raw_string") else text


def _scripts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("run", "script", "inlineScript") and isinstance(value, str):
                yield value
            else:
                yield from _scripts(value)
    elif isinstance(node, list):
        for one in node:
            yield from _scripts(one)


def _joined(code: str) -> str:
    """Python source whose adjacent strings are one, so that a command is complete; braces are values."""
    joined = re.sub(r"[\"']\s*\n\s*f?[\"']", "", code)
    return re.sub(r"\{[^{}\n]*\}", "PLACEHOLDER", joined)
