"""The problems of one file while it is being checked."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from mlevents.errors import ConfigError, Problem
from mlevents.settings import Settings
from mlevents.yamlfile.positions import Document, PathProblem, join_path

MAX_FILE_PROBLEMS = 200
"""The limit of problems of one file: each costs time to find its place and a suggestion."""


@dataclass(slots=True)
class Report:
    """Collects what is wrong, each with its place.

    With `require_settings` a setting that is not set is an error, as in the running app; without it,
    as on a laptop, it is a warning.
    """

    document: Document
    settings: Settings
    require_settings: bool = True
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached, so that the checks stop."""
        return len(self.problems) >= MAX_FILE_PROBLEMS

    def error(self, path: str, text: str) -> None:
        """Add a problem that makes the file unusable."""
        if not self.is_full:
            self.problems.append(self.document.problem(path, text))

    def replace_error(self, path: str, text: str) -> None:
        """Add a problem instead of those that were found at this path before."""
        file = self.document.problem(path, text).file
        self.problems[:] = [one for one in self.problems if (one.file, one.path) != (file, path)]
        self.error(path, text)

    def warn(self, path: str, text: str) -> None:
        """Add a warning, which does not make the file unusable."""
        self.warnings.append(self.document.problem(path, text))

    def errors(self, path: str, findings: Iterable[PathProblem]) -> None:
        """Add errors whose paths are relative to this path."""
        for inner, text in findings:
            if self.is_full:
                return  # findings are generated one by one: stop here
            self.error(_join_below(path, inner), text)

    def setting(self, path: str, name: str) -> str | None:
        """The app setting `name`, or None after reporting that it is not set."""
        try:
            return self.settings.value(name)
        except ConfigError as error:
            if self.require_settings:
                self.error(path, str(error))
            else:
                text = f"{error}; a warning here, an error in the running app"
                self.warnings.append(self.document.problem(path, text, name))
            return None


def _join_below(path: str, inner: str) -> str:
    if not inner or inner.startswith("[") or not path:
        return path + inner
    return join_path(path, inner)
