"""The rule file as written, or a folder of rule files that count as one.

In a folder, each team has a file. `rules` and `tests` of all files are joined, in the order of the files'
names; a workspace, a connection or an allowed endpoint may be in any file, but only in one. The `defaults` of
a file apply to its own rules; those of `defaults.yaml` apply to the rules of all files, below their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlevents.errors import Problem, RulesError
from mlevents.rules.rule_folder import list_rule_files
from mlevents.yamlfile.merged_document import MergedDocument
from mlevents.yamlfile.positions import Document, join_path
from mlevents.yamlfile.reader import parse_yaml
from mlevents.yamlfile.scalars import quote

DEFAULTS = "defaults"
SHARED_FILE = f"{DEFAULTS}.yaml"
_JOINED = ("rules", "tests", "endpoints")
_NAMED = ("workspaces", "connections")


@dataclass(frozen=True, slots=True)
class RulePart:
    """One file; `defaults` is the path of its defaults in the document of all files.

    `is_shared` says whether these defaults apply to the rules of all files.
    """

    document: Document
    defaults: str = DEFAULTS
    is_shared: bool = False


@dataclass(slots=True)
class RuleSource:
    """The files of a rule file or folder, and their content as one document."""

    document: MergedDocument
    parts: list[RulePart] = field(default_factory=list)

    @property
    def written(self) -> dict[str, Any]:
        """The content of all files, as that of one."""
        found: dict[str, Any] = self.document.value
        return found

    @property
    def rule_ids(self) -> list[str]:
        """The id of each rule as written."""
        rules = found if isinstance(found := self.written.get("rules"), list) else []
        return [str(rule.get("id")) for rule in rules if isinstance(rule, dict)]


def read_source(path: Path) -> RuleSource:
    """The rules as written in a file or folder; raises RulesError if one cannot be read."""
    if not path.is_dir():
        return merge_documents([read_document(path)], path)
    files = list_rule_files(path)
    if not files:
        fault = "the folder has no rule file: add one, such as rules.yaml"
        raise RulesError([Problem(str(path), 1, 1, "", fault)])
    return merge_documents([read_document(file) for file in files], path)


def merge_documents(documents: list[Document], path: Path) -> RuleSource:
    """The source with these documents; raises RulesError if one of them has no usable content."""
    problems = [problem for document in documents for problem in _find_faults(document)]
    if any(document.broken or not isinstance(document.value, dict) for document in documents):
        raise RulesError(problems)
    if len(documents) == 1:
        [only] = documents
        return RuleSource(
            MergedDocument(only.file, dict(only.value), problems=problems, first=only),
            [RulePart(only, is_shared=True)],
        )
    merged = MergedDocument(str(path), {}, problems=problems, first=documents[0])
    source = RuleSource(merged)
    for number, document in enumerate(documents):
        _add(source, document, number)
    return source


def read_text(path: Path) -> str:
    """The text of a file; raises RulesError if it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RulesError([Problem(str(path), 1, 1, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise RulesError([_encoding_problem(path, error)]) from error


def read_document(path: Path) -> Document:
    """The document in a file; raises RulesError if it cannot be read."""
    return parse_yaml(read_text(path), str(path))


def _find_faults(document: Document) -> Iterator[Problem]:
    yield from document.problems
    if not document.broken and not isinstance(value := document.value, dict):
        found = "the file is empty" if value is None else f"must be a mapping, not {quote(value)}"
        yield document.problem("", f"{found}: begin with 'version: 1'")


def _add(source: RuleSource, document: Document, number: int) -> None:
    """Add one file of a folder to what the files before it have."""
    defaults = join_path("files", number, DEFAULTS)
    is_shared = Path(document.file).name == SHARED_FILE
    source.parts.append(RulePart(document, defaults, is_shared))
    merged = source.document
    merged.origins[defaults] = document, DEFAULTS
    for key, value in document.value.items():
        if key in _JOINED:
            _join(merged, document, key, [value] if isinstance(value, str) else value)
        elif key in _NAMED:
            _join_names(merged, document, key, value)
        elif key == "filters" and key in merged.value:
            _report_duplicate(merged, document, key, f"'{key}' is")
        elif key != DEFAULTS:
            merged.value.setdefault(key, value)
            merged.origins.setdefault(key, (document, key))


def _join(merged: MergedDocument, document: Document, key: str, items: object) -> None:
    known = merged.value.setdefault(key, [])
    merged.origins.setdefault(key, (document, key))
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if key == "endpoints" and item in known:
            there = join_path(key, known.index(item))
            _report_duplicate(merged, document, join_path(key, index), f"'{item}' is", there)
        else:
            merged.origins[join_path(key, len(known))] = document, join_path(key, index)
            known.append(item)


def _join_names(merged: MergedDocument, document: Document, key: str, names: object) -> None:
    known = merged.value.setdefault(key, {})
    merged.origins.setdefault(key, (document, key))
    for name, value in names.items() if isinstance(names, dict) else ():
        path = join_path(key, name)
        if name in known:
            _report_duplicate(merged, document, path, f"the {key.removesuffix('s')} '{name}' is")
        else:
            merged.origins[path] = document, path
            known[name] = value


def _report_duplicate(
    merged: MergedDocument, document: Document, path: str, subject: str, there: str = ""
) -> None:
    other, own = merged.locate(there or path)
    line, _ = other.place(own)
    merged.problems.append(
        document.problem(path, f"{subject} also defined in {other.file}:{line}: keep one of the two")
    )


def _encoding_problem(path: Path, error: UnicodeDecodeError) -> Problem:
    before = error.object[: error.start].decode("utf-8", "replace").splitlines(keepends=False) or [""]
    byte = error.object[error.start]
    text = f"the byte 0x{byte:02x} is not UTF-8: save the file as UTF-8"
    return Problem(str(path), len(before), len(before[-1]) + 1, "", text)
