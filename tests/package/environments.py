"""Wheels built from this repository, and environments that hold them and nothing but what they require."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(sysconfig.get_path("purelib"))


def build_wheels(folder: Path) -> None:
    """Build both distributions; each wheel is built from its sdist."""
    for project in (ROOT, ROOT / "sandbox"):
        build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
        done = subprocess.run(build, cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def find_wheel(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f"{name}-*.whl")
    return found


def make_environment(folder: Path, wheels: list[Path]) -> Path:
    """An environment with these wheels and what they require, linked from this one; answers its Python.

    A requirement that no wheel names is not there, so an import of it fails; one whose version differs from
    what is installed here fails at once.
    """
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--no-index", *map(str, wheels)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    own = {one.name: one for one in metadata.distributions(path=[str(site)])}
    for name in required(own):
        for target in parts(metadata.distribution(name)):
            link = site / target.relative_to(PACKAGES)
            if target.exists() and not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                os.symlink(target, link)
    return python


def parts(distribution: metadata.Distribution) -> set[Path]:
    """The packages of a distribution, and its files outside of them; several share the folder `azure`."""
    found = set()
    for file in distribution.files or ():
        folders = [PACKAGES.joinpath(*file.parts[:end]) for end in range(1, len(file.parts))]
        whole = (one for one in folders if (one / "__init__.py").exists() or one.suffix == ".dist-info")
        if ".." not in file.parts:
            found.add(next(whole, PACKAGES / file))
    return found


def required(own: dict[str, metadata.Distribution]) -> set[str]:
    """The names of all that these distributions require, directly and not."""
    found: set[str] = set()
    ahead = [(one, "") for dist in own.values() for one in dist.requires or ()]
    while ahead:
        text, extra = ahead.pop()
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        dist = own.get(name) or metadata.distribution(name)
        version = dist.version
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{text}, but {version} is installed"
        )
        extras = requirement.extras or {""}
        if name not in own and name not in found:
            found.add(name)
            ahead += [(one, "") for one in dist.requires or ()]
        if name not in own:
            ahead += [(one, each) for one in dist.requires or () for each in extras if each]
    return found


def members(wheel: Path) -> Iterator[str]:
    """The top-level packages of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        yield from {name.split("/")[0] for name in archive.namelist() if ".dist-info/" not in name}
