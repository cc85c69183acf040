"""The files beside the rule file, which steps name and which never stand outside its folder."""

from functools import cached_property
from pathlib import Path

from mlevents.errors import PermanentError


class RuleFolder:
    """The folder of a rule file; looks for each file once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._faults: dict[str, str | None] = {}

    @cached_property
    def _root(self) -> Path:
        return self.path.resolve()

    def fault(self, name: str) -> str | None:
        """Why no file of this name can be used, or None if it can."""
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
            return f"'{name}' leads out of the rule file's folder: keep files inside it"
        if not is_file:
            return f"there is no file '{self.path / name}': create it, or correct the name"
        return None

    def read(self, name: str) -> str:
        """The text of a file without a fault; raises PermanentError for one that is no text."""
        try:
            return (self._root / name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PermanentError(f"the file '{name}' cannot be read: {error}") from error
