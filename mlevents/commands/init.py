"""`init`: write a small repository of your own, which runs mlevents as a package."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from mlevents.commands.command import AsJson, command, exit_with_error, print_json, print_line
from mlevents.commands.schema import make_schema_files
from mlevents.commands.version import CHECKOUT, find_source, read_version

PROJECT = Path(__file__).parent / "project"
"""What a new project consists of. `dot.` at the start of a name is `.`, and `.template` at its end goes."""
SHARED = (
    *("azure.yaml", "deployments", "host.json", "infra"),
    *(".azuredevops/deploy.yml", ".github/workflows/deploy.yml"),
)
"""What it has in common with the repository of mlevents. The wheel has a copy of it beside the rest."""
LOCK = "requirements.txt"
NOT_COPIED = re.compile(r"__pycache__|/(checkov|tools)\.[^/]*$|/(filters|streams|targets)\.json$")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
PINNED = re.compile(r"^[\w.\[\]-]+==[^\\\n]*[^\\\s]", re.MULTILINE)
MAX_NAMED = 5

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it is made if it is not there.")]
ProjectName = Annotated[
    str,
    typer.Option("--name", show_default="that of the folder", help="The project's name, for azd."),
]


@command("init")
def init(folder: Folder, name: ProjectName = "", as_json: AsJson = False) -> None:
    """Write a project: a Function App, rules with tests, and what deploys it. Never overwrites a file."""
    files = make_files(_choose_name(folder, name))
    present = list(dict.fromkeys(str(one) for path in files for one in _obstacles(folder, path)))
    if present:
        more = f" and {len(present) - MAX_NAMED} more" if len(present) > MAX_NAMED else ""
        listed = ", ".join(present[:MAX_NAMED]) + more
        exit_with_error(f"nothing was written, because there is already {listed}: name an empty folder")
    try:
        _write(folder, files)
    except OSError as error:
        exit_with_error(f"{error.filename or folder}: the project was not written: {error.strerror}")
    if as_json:
        print_json({"folder": str(folder), "files": sorted(files)})
        return
    print_line((f"{folder}: {len(files)} files", "bold green"))
    print_line(f"Next: cd {folder}, then `mlevents check`; README.md has the other commands.")
    if source := find_source():
        wheel = f"python -m pip wheel --no-deps --wheel-dir wheels {shlex.quote(str(source))}"
        print_line(f"This mlevents is not from a package index. Before `pip install` there: {wheel}")


def make_files(name: str) -> dict[str, bytes]:
    """The content of each file of a new project, by its path in the project's folder."""
    version = read_version()
    values = {b"@NAME@": name.encode(), b"@VERSION@": version.encode()}
    files = {}
    for path, source in _sources():
        content = source.read_bytes()
        if source.suffix == ".template":
            for key, value in values.items():
                content = content.replace(key, value)
        files[path.removesuffix(".template")] = content
    files["azure.yaml"] = re.sub(rb"(?m)^name: .*$", b"name: " + name.encode(), files["azure.yaml"])
    files["constraints.txt"] = read_constraints().encode()
    files |= make_schema_files()
    return dict(sorted(files.items()))


def read_constraints() -> str:
    """The versions of everything that this version of mlevents was tested with, as pip's constraints."""
    lock = _shared(LOCK).read_text(encoding="utf-8")
    return "\n".join(["# What this version of mlevents was tested with.", *PINNED.findall(lock), ""])


def _sources() -> Iterator[tuple[str, Path]]:
    """Each path in the project, and the file that it is made from."""
    for source in PROJECT.rglob("*"):
        place = source.relative_to(PROJECT)
        is_shared = any(place.is_relative_to(name) for name in (*SHARED, LOCK))
        if source.is_file() and not is_shared and not NOT_COPIED.search(place.as_posix()):
            yield "/".join(re.sub(r"^dot\.", ".", part) for part in place.parts), source
    for name in SHARED:
        root = _shared(name)
        for source in root.rglob("*") if root.is_dir() else [root]:
            path = (Path(name) / source.relative_to(root)).as_posix()
            if source.is_file() and not NOT_COPIED.search(path):
                yield path, source


def _shared(name: str) -> Path:
    """A file of the repository: in the installed package its copy, in a checkout itself."""
    packaged = PROJECT / name
    return packaged if packaged.exists() else CHECKOUT / name


def _choose_name(folder: Path, name: str) -> str:
    """The given name, or one made from the folder's; exits when azd could not use it."""
    chosen = name or re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "mlevents"
    if not NAME.fullmatch(chosen):
        exit_with_error(
            f"the name '{chosen}' must be small letters, digits and hyphens, such as 'churn-rules': "
            "choose another with --name"
        )
    return chosen


def _obstacles(folder: Path, path: str) -> Iterator[Path]:
    """What is already where a file is to be written, and each file where its folder is to be."""
    target = folder / path
    if target.exists() or target.is_symlink():
        yield target
    between = [folder / parent for parent in Path(path).parents]
    yield from (one for one in between if one.exists() and not one.is_dir())


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
