"""Route templates of HTTP functions, as ASP.NET Core reads them: `echo/{name}/{number:int?}`.

The host matches them in the order of the functions' names without case, and takes the first that matches:
a literal segment has no precedence (FunctionMetadataManager.LoadFunctionMetadata sorts, the WebJobsRouter
of the HTTP extension is a list).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.worker.function import Function

CONSTRAINTS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"true|false",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
PARAMETER = re.compile(r"\{(?P<rest>\**)(?P<name>\w+)(?::(?P<kind>\w+)[^}?]*)?(?P<optional>\?)?\}")


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """Where one HTTP function answers; `methods` is empty when it answers to all.

    `anonymous` says that the host asks for no function key here.
    """

    function: str
    parameter: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    anonymous: bool

    @classmethod
    def of(cls, function: Function) -> "HttpRoute":
        """The route of a function with an HTTP trigger; its name is its route when it gives none."""
        trigger = function.trigger
        segments = str(trigger.get("route") or function.name).strip("/").split("/")
        methods = frozenset(str(method).upper() for method in trigger.get("methods") or ())
        pattern = re.compile("".join(map(_segment, segments)), re.IGNORECASE)
        anonymous = str(trigger.get("authLevel")).casefold() == "anonymous"
        return cls(function.name, trigger["name"], methods, pattern, anonymous)

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route's parameters when the function answers; the host knows no 405, it is a 404 too."""
        if self.methods and method not in self.methods:
            return None
        found = self.pattern.fullmatch(path)
        return found and {name: value for name, value in found.groupdict().items() if value is not None}


def sort_routes(functions: Iterable[Function]) -> list[HttpRoute]:
    """The routes of these HTTP functions in the order in which the host tries them."""
    return [HttpRoute.of(one) for one in sorted(functions, key=lambda one: one.name.upper())]


def _segment(segment: str) -> str:
    text, at, optional = "/", 0, False
    for found in PARAMETER.finditer(segment):
        text += re.escape(segment[at : found.start()])
        inner = ".*" if found["rest"] else CONSTRAINTS.get(found["kind"] or "", "[^/]+")
        text += f"(?P<{found['name']}>{inner})"
        optional = bool(found["optional"] or found["rest"])
        at = found.end()
    text += re.escape(segment[at:])
    return f"(?:{text})?" if optional else text
