"""Own elements: `extensions/*.py` beside the rules, and what installed packages declare as entry points.

They register by the same decorators as the elements of mlevents, and are imported once a process, before any
rule is loaded: packages first, then files by name. Rules that are loaded from elsewhere in the same process,
as `mlevents diff` does, have the elements beside them, and no others. A file that changed is imported again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from mlevents.errors import MleventsError, Problem, RulesError
from mlevents.message_templates.own_templates import set_own_templates
from mlevents.rules.added_elements import AddedElement, ElementWatch, check_elements
from mlevents.rules.extension_faults import describe_extension_error, find_extension_fault
from mlevents.rules.extension_modules import (
    EXTENSIONS,
    import_file,
    list_extension_files,
    make_package,
    name_module,
)
from mlevents.rules.extension_packages import list_package_folders, load_extension_packages
from mlevents.rules.message_template_files import (
    MessageTemplates,
    list_template_files,
    read_message_templates,
)
from mlevents.rules.rule_folder import find_beside, find_project

_LOCK = RLock()
_NOT_REGISTERED = (
    "registers no element: put @action, @operator, @gate or @connection above a class, "
    "or begin the file's name with '_' if only other extensions import it"
)


@dataclass(frozen=True, slots=True)
class ExtensionSet:
    """The elements and message templates of a project; no elements where there are problems.

    `folders` have the code of the elements.
    """

    signature: object = None
    elements: tuple[AddedElement, ...] = ()
    problems: tuple[Problem, ...] = ()
    folders: tuple[Path, ...] = ()
    templates: Mapping[str, str] = field(default_factory=dict)


class _Process:
    """What this process has imported: the sets by project, and the one that is registered now."""

    def __init__(self) -> None:
        self.loaded: dict[Path, ExtensionSet] = {}
        self.active = ExtensionSet()

    def activate(self, chosen: ExtensionSet) -> None:
        if chosen is not self.active:
            for one in self.active.elements:
                one.remove()
            set_own_templates({})
            self.active = ExtensionSet()
            for one in chosen.elements:
                one.register()
            set_own_templates(chosen.templates)
            self.active = chosen


_process = _Process()


def list_own_files(rules: Path) -> list[Path]:
    """The files beside the rules that have elements and message templates, and those that they import."""
    folders = find_beside(rules, EXTENSIONS)
    sources = [file for folder in folders for file in sorted(folder.glob("*.py"))]
    return [*sources, *list_template_files(rules)]


def load_extensions(rules: Path) -> None:
    """Register the elements of installed packages and those beside the rules.

    Raises RulesError with one problem for each broken extension, the same ones until a file changes.
    """
    with _LOCK:
        folders, templates = find_beside(rules, EXTENSIONS), list_template_files(rules)
        files = {folder: list_extension_files(folder) for folder in folders}
        signature = [_sign(file) for file in list_own_files(rules)]
        problems = list(load_extension_packages())
        project = find_project(rules).resolve()
        known = _process.loaded.get(project)
        if known is None or known.signature != signature:
            _process.activate(ExtensionSet())
            messages = read_message_templates(templates)
            known = _process.loaded[project] = _import_files(files, signature, messages)
        _process.activate(known)
        if problems := [*problems, *known.problems]:
            raise RulesError(problems)


def use_extensions(rules: Path) -> None:
    """Register the elements that were loaded for these rules, after others have been loaded."""
    with _LOCK:
        _process.activate(_process.loaded.get(find_project(rules).resolve(), ExtensionSet()))


@contextmanager
def report_extension_faults() -> Iterator[None]:
    """Raise RulesError, with the place in the extension, instead of an error that an extension caused."""
    try:
        yield
    except MleventsError:
        raise
    except Exception as error:
        if fault := find_extension_fault(error, [*list_package_folders(), *_process.active.folders]):
            raise RulesError([fault]) from error
        raise


def _sign(file: Path) -> tuple[str, int, int]:
    found = file.stat()
    return str(file), found.st_mtime_ns, found.st_size


def _import_files(
    files: Mapping[Path, list[Path]], signature: object, messages: MessageTemplates
) -> ExtensionSet:
    if not any(files.values()):
        return ExtensionSet(signature, problems=tuple(messages.problems), templates=messages.texts)
    watch, problems, modules = ElementWatch(), [*messages.problems], dict[str, Path]()
    for folder, inside in files.items():
        package = make_package(folder)
        for file in inside:
            if fault := _import(package, file, folder):
                problems.append(fault)
            else:
                modules[name_module(package, file)] = file
    added = watch.list_added()
    problems += check_elements(added)
    empty = modules.keys() - {one.element.__module__ for one in added}
    problems += [Problem(str(modules[name]), 1, 1, "", _NOT_REGISTERED) for name in sorted(empty)]
    for one in added:
        one.remove()
    elements = () if problems else tuple(added)
    return ExtensionSet(signature, elements, tuple(dict.fromkeys(problems)), tuple(files), messages.texts)


def _import(package: str, file: Path, folder: Path) -> Problem | None:
    try:
        import_file(package, file)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary of the user's own code
        found = find_extension_fault(error, [folder])
        return found or Problem(str(file), 1, 1, "", describe_extension_error(error))
    return None
