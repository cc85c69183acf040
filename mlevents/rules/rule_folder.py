"""The files that steps name: they must be in the folder of the rule file, or of the folder with the rules."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from mlevents.errors import PermanentError

_ENDINGS = (".yaml", ".yml")


def find_project(rules: Path) -> Path:
    """The folder that has the rule file, or the folder of rule files; `environments/` is in it."""
    return rules.parent if rules.name not in {"", ".."} else rules.resolve().parent


def find_beside(rules: Path, name: str) -> list[Path]:
    """The folders of this name beside the rules, and in a folder of rules, as far as they are there."""
    places = [find_project(rules) / name, *([rules / name] if rules.is_dir() else [])]
    return [folder for folder in places if folder.is_dir()]


def list_rule_files(rules: Path) -> list[Path]:
    """The rule file, or those of a folder, by name."""
    if not rules.is_dir():
        return [rules]
    return sorted(
        one
        for one in rules.iterdir()
        if one.suffix in _ENDINGS and not one.name.startswith(".") and not one.is_dir()
    )


def open_folder(rules: Path, change: Callable[[str, str], str]) -> "RuleFolder":
    """The folder of the files that the steps in a rule file, or in a folder of them, name.

    `change` takes a file's name and text, and gives its text in the environment.
    """
    return RuleFolder(find_project(rules), rules if rules.is_dir() else None, change)


class RuleFolder:
    """The folder of the rule file; checks each file once.

    Of a folder of rule files, it is the folder that has it; `rules` is then looked into as well.
    """

    def __init__(self, path: Path, rules: Path | None, change: Callable[[str, str], str]) -> None:
        self.path = path
        self.rules = rules
        self._change = change
        self._faults: dict[str, str | None] = {}

    @cached_property
    def _root(self) -> Path:
        return self.path.resolve()

    def _find(self, name: str) -> Path:
        """The place of a file: beside the rules, or else among them."""
        beside = (self._root / name).resolve()
        among = (self.rules / name).resolve() if self.rules else beside
        return among if not beside.exists() and among.exists() else beside

    def fault(self, name: str) -> str | None:
        """Why a file cannot be used, or None if it can."""
        if name not in self._faults:
            self._faults[name] = self._find_fault(name)
        return self._faults[name]

    def _find_fault(self, name: str) -> str | None:
        try:
            found = self._find(name)
            inside = not Path(name).is_absolute() and found.is_relative_to(self._root)
            is_file = inside and found.is_file()
        except (OSError, ValueError, RuntimeError) as error:
            return f"'{name}' is not a valid file name: {error}"
        if not inside:
            return f"'{name}' is outside the rule file's folder: move the file into it"
        if not is_file:
            return f"the file '{self.path / name}' does not exist: create it, or correct the name"
        return None

    def find_content_fault(self, check: Callable[[Callable[[str], str]], None]) -> str | None:
        """What a check of files finds in the environment, or None."""
        try:
            check(lambda name: self._change(name, self.read(name)))
        except PermanentError as error:
            return str(error)
        return None

    def read(self, name: str) -> str:
        """The text of a file; raises PermanentError for a file that is not UTF-8 text."""
        try:
            return self._find(name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PermanentError(f"the file '{name}' cannot be read: {error}") from error
