"""The modules of `extensions/`: each is imported under a private name, which collides with no other."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import invalidate_caches
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType

EXTENSIONS = "extensions"
"""The folder beside the rules, and the name of each private package."""
_NUMBERS = count(1)


class _SourceLoader(SourceFileLoader):
    """Always compiles the text: a file may change twice in a second, which bytecode would not notice."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def list_extension_files(folder: Path) -> list[Path]:
    """The files that are extensions, by name; one that begins with `_` belongs to the others."""
    files = (file for file in folder.glob("*.py") if file.name[0] not in "_." and file.is_file())
    return sorted(files, key=lambda file: file.name)


def make_package(folder: Path) -> str:
    """The name of a new private package for the modules of a folder; `from . import _other` works in them."""
    name = f"_mlevents_{EXTENSIONS}_{next(_NUMBERS)}"
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    invalidate_caches()
    return name


def name_module(package: str, file: Path) -> str:
    """The full name of the module in a file of the folder."""
    return f"{package}.{file.stem.replace('.', '_')}"


def import_file(package: str, file: Path) -> None:
    """Import a file of the folder, unless another one did; raises whatever its code raises."""
    name = name_module(package, file)
    if name in sys.modules:
        return
    spec = spec_from_file_location(name, file, loader=_SourceLoader(name, str(file)))
    assert spec, "there is one for every loader"
    assert spec.loader, "it is the one above"
    module = sys.modules[name] = module_from_spec(spec)
    module.__file__ = str(file)  # as the rules are named, not absolute: messages show it
    try:
        with keep_output_clean():
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


@contextmanager
def keep_output_clean() -> Iterator[None]:
    """What an extension prints goes to standard error: standard output may be a JSON document."""
    with redirect_stdout(sys.stderr):
        yield
