"""The files that steps name: they must be in the folder of the rule file."""

from functools import cached_property
from pathlib import Path

from mlevents.errors import PermanentError


class RuleFolder:
    """The folder of a rule file; checks each file once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._faults: dict[str, str | None] = {}

    @cached_property
    def _root(self) -> Path:
        return self.path.resolve()

    def fault(self, name: str) -> str | None:
        """Why a file cannot be used, or None if it can."""
        if name not in self._faults:
            self._faults[name] = self._find_fault(name)
        return self._faults[name]

    def _find_fault(self, name: str) -> str | None:
        try:
            found = (self._root / name).resolve()
            inside = not Path(name).is_absolute() and found.is_relative_to(self._root)
            is_file = inside and found.is_file()
        except (OSError, ValueError, RuntimeError) as error:
            return f"'{name}' is not a valid file name: {error}"
        if not inside:
            return f"'{name}' is outside the rule file's folder: move the file into it"
        if not is_file:
            return f"the file '{self.path / name}' does not exist: create it, or correct the name"
        return None

    def read(self, name: str) -> str:
        """The text of a file; raises PermanentError for a file that is not UTF-8 text."""
        try:
            return (self._root / name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PermanentError(f"the file '{name}' cannot be read: {error}") from error
