"""The extensions in installed packages: each declares an entry point in the group `mlevents.extensions`.

```toml
[project.entry-points."mlevents.extensions"]
tickets = "contoso_mlevents.tickets"
```
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from mlevents.errors import Problem
from mlevents.rules.added_elements import ElementWatch, check_elements
from mlevents.rules.extension_faults import describe_extension_error, find_extension_fault
from mlevents.rules.extension_modules import keep_output_clean

ENTRY_POINTS = "mlevents.extensions"


@cache
def load_extension_packages() -> tuple[Problem, ...]:
    """Import what installed packages declare, once a process; what is wrong, one problem for each."""
    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda one: (one.name, one.value))
    return tuple(problem for point in points for problem in _load(point))


@cache
def list_package_folders() -> list[Path]:
    """Where the code of installed extensions is."""
    return [folder for point in entry_points(group=ENTRY_POINTS) for folder in _find_folders(point)]


def _load(point: EntryPoint) -> list[Problem]:
    watch = ElementWatch()
    try:
        with keep_output_clean():
            point.load()
        problems = list(check_elements(watch.list_added()))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary of code of others
        problems = [_describe(point, error)]
    if problems:
        for one in watch.list_added():
            one.remove()
    return problems


def _find_folders(point: EntryPoint) -> list[Path]:
    """The folder of its package, or the file of its only module."""
    spec = find_spec(point.module.partition(".")[0])
    if spec is None:
        return []
    return [Path(place) for place in (*(spec.submodule_search_locations or ()), spec.origin) if place]


def _describe(point: EntryPoint, error: BaseException) -> Problem:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    found = find_extension_fault(error, _find_folders(point))
    place = (found.file, found.line, found.column) if found else (point.value, 1, 1)
    text = f"the extension '{point.name}' of the package {package}: {describe_extension_error(error)}"
    return Problem(*place, "", text)
