"""Elements found by name: an element is one module of a package, and no list names it."""

import difflib
import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from glob import iglob
from itertools import islice
from pathlib import Path

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}", re.ASCII)
_NAME_REMEDY = 'give the decorator a text of letters, digits, "_", "-" and ".", a letter first'
_REGISTERED = re.compile(rb'\n@\w+\("([\w.-]+)"')
LONGEST_NAME = 200
"""Characters: nobody mistypes a longer name, and comparing long ones takes quadratic time."""


class UnknownNameError(LookupError):
    """No element has this name; the message proposes the nearest one that exists."""


class InvalidElementError(TypeError):
    """What a decorator registers is no element, or its name is none; the message says what to write."""


class DuplicateNameError(ValueError):
    """Two elements of one kind have one name; the message says where both are."""


MOST_NAMES = 1000
"""Names that one is compared with: comparing hundreds of mistakes with more takes minutes."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The tail ` (did you mean 'x'?)` of a message about an unknown name, or nothing."""
    names = sorted(islice(known, MOST_NAMES + 1))
    if len(str(name)) > LONGEST_NAME or len(names) > MOST_NAMES:
        return ""
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


def suggest_names(name: object, known: Iterable[str]) -> str:
    """The remedy in a message about an unknown name: the nearest known name, or else all of them."""
    names = list(known)
    return did_you_mean(name, names) or list_choices(names)


def list_choices(known: Iterable[str]) -> str:
    """The tail `: use one of a, b` of a message about an unknown name."""
    names = ", ".join(known)
    return f": use one of {names}" if names else ": none is defined"


class Registry[T]:
    """The classes that the modules of one package register under a name.

    >>> operator = Registry[Condition]("operator", "mlevents.conditions")
    >>> @operator("prefix")
    ... class Prefix(Condition): ...
    >>> operator.find("prefix")

    A new element is a new file in the package, or in a package below it. Looking one name up imports only the
    modules whose source registers that name, at the beginning of a line; any other question imports them all.
    A module of someone else adds an element by the same decorator. Where `base` is given, an element is a
    class below it.
    """

    def __init__(self, kind: str, package: str, base: type | None = None) -> None:
        self.kind = kind
        self.package = package
        self.base = base
        self._elements: dict[str, T] = {}

    def __call__[E](self, name: str) -> Callable[[E], E]:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidElementError(f"{name!r:.60} is not a name for this {self.kind}: {_NAME_REMEDY}")

        def register(element: E) -> E:
            self._check(name, element)
            if name in self._elements:
                places = f"{_place(self._elements[name])} and {_place(element)}"
                raise DuplicateNameError(f"two {self.kind}s are named '{name}', in {places}: rename one")
            self._elements[name] = element  # type: ignore[assignment]
            return element

        return register

    def _check(self, name: str, element: object) -> None:
        """Raise InvalidElementError for what is not a complete class of this kind."""
        if self.base is None:
            return
        of_kind = f"the {self.kind} '{name}'"
        if not isinstance(element, type) or not issubclass(element, self.base):
            wanted = f"{self.base.__module__}.{self.base.__name__}"
            raise InvalidElementError(f"{of_kind} is not a class below {wanted}: derive it from that class")
        if inspect.isabstract(element):
            missing = ", ".join(sorted(getattr(element, "__abstractmethods__", ())))
            raise InvalidElementError(f"{of_kind} does not define {missing}: add it")

    @cached_property
    def _places(self) -> dict[str, list[str]]:
        """The modules of the package that register each name."""
        found: dict[str, list[str]] = {}
        for root in importlib.import_module(self.package).__path__:
            for file in iglob("**/*.py", root_dir=root, recursive=True):
                module = f"{self.package}.{file.removesuffix('.py').replace(os.sep, '.')}"
                for name in _REGISTERED.findall(Path(root, file).read_bytes()):
                    found.setdefault(name.decode(), []).append(module)
        return found

    def _load(self, name: str) -> bool:
        """Import the element of this name; False if there is none."""
        if name not in self._elements:
            for module in self._places.get(name, ()):
                importlib.import_module(module)
        return name in self._elements or name in self._all

    @cached_property
    def _all(self) -> dict[str, T]:
        package = importlib.import_module(self.package)
        for module in pkgutil.walk_packages(package.__path__, f"{self.package}."):
            importlib.import_module(module.name)
        return self._elements

    def remove(self, name: str) -> None:
        """Forget an element that was added from outside the package."""
        self._all.pop(name, None)

    def names(self) -> list[str]:
        """Every registered name, sorted."""
        return sorted(self._all)

    def items(self) -> list[tuple[str, T]]:
        """Every name with its element, sorted by name."""
        return sorted(self._all.items())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._load(name)

    def find(self, name: str) -> T:
        """The element of this name; raises UnknownNameError, with the nearest name."""
        if self._load(name):
            return self._elements[name]
        raise UnknownNameError(f"unknown {self.kind} '{name}'{self._suggest(name)}")

    def _suggest(self, name: str) -> str:
        """The element that has this name elsewhere, with its example if it has one; else the nearest name."""
        for known, element in self.items():
            if name.lower() in getattr(element, "synonyms", ()):
                example = getattr(element, "example", "")
                return f" (did you mean '{known}'?)" + (f": write {example}" if example else "")
        return did_you_mean(name, self._all)


def _place(element: object) -> str:
    """The module that registers an element; one that is not ours by its file."""
    name = str(getattr(element, "__module__", element))
    file = getattr(sys.modules.get(name), "__file__", None)
    return name if file is None or name.startswith(f"{__package__}.") else str(file)
