"""Several documents read as one: each value keeps the file, line and path at which people wrote it."""

import re
from dataclasses import dataclass, field

from mlevents.errors import Problem
from mlevents.yamlfile.positions import Document

_END = re.compile(r"[.\[]")


@dataclass(slots=True)
class MergedDocument(Document):
    """A document whose values come from others.

    `origins` says for the path of a value here which document has it, and its path there. What is below
    such a path is at the same path below there; any other path is one of `first`.
    """

    first: Document = field(default_factory=lambda: Document(""))
    origins: dict[str, tuple[Document, str]] = field(default_factory=dict)

    def locate(self, path: str) -> tuple[Document, str]:
        """The document with the value at this path, and its path there."""
        ends = [len(path), *(found.start() for found in reversed(list(_END.finditer(path))))]
        for end in ends:
            if found := self.origins.get(path[:end]):
                document, own = found
                return document, own + path[end:]
        return self.first, path

    def place(self, path: str) -> tuple[int, int]:
        """Line and column of a path, in its own file."""
        document, own = self.locate(path)
        return document.place(own)

    def problem(self, path: str, text: str, setting: str = "") -> Problem:
        """A problem at this path, with the file and the path that people know."""
        document, own = self.locate(path)
        return document.problem(own, text, setting)
