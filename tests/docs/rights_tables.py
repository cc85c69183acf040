"""The tables of rights in Azure, written into the documentation from the code: `make docs`.

Each stands between a line `<!-- rights: NAME -->` and the next `<!-- end -->`; NAME is an action, or `all`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from mlevents.actions.action import action
from mlevents.actions.permissions import Need, permissions
from mlevents.events import NAMES
from mlevents.gates.gate import gate
from mlevents.services.permission import IDENTITY_SCOPE, WORKSPACE_SCOPE, Permission
from sandbox.sandbox_process import ROOT

PAGES = (ROOT / "docs/actions.md", ROOT / "docs/operations.md")
TABLE = re.compile(r"(<!-- rights: (\w+) -->\n\n).*?(\n<!-- end -->)", re.DOTALL)
HEAD = "| for | at | actions or role |\n|---|---|---|\n"
SCOPES = {
    WORKSPACE_SCOPE: "the workspace",
    IDENTITY_SCOPE: "each identity in `identity`",
    "data_factory": "the factory",
    "ml_registry": "the registry",
}


def write_tables(text: str) -> str:
    """The text of a page with its tables of rights as the code has them."""
    return TABLE.sub(lambda found: f"{found[1]}{HEAD}{''.join(_rows(found[2]))}{found[3]}", text)


def _rows(element: str) -> Iterator[str]:
    needs = [need for need in permissions() if element in ("all", need.element)]
    if not needs:
        raise LookupError(f"'{element}' needs no right in Azure: remove the lines around its table")
    for (purpose, place), group in groupby(needs, lambda need: (_purpose(need), _place(need))):
        yield f"| {purpose} | {place} | {_rights(need.permission for need in group)} |\n"


def _purpose(need: Need) -> str:
    kinds = {
        **dict.fromkeys(action.names(), ""),
        **dict.fromkeys(gate.names(), "the gate "),
        **dict.fromkeys(NAMES, "the event "),
    }
    kind = kinds.get(need.element, "connection ")
    given = " or ".join(f"`{name}`" for name in need.permission.given)
    return f"{kind}`{need.element}`{' with ' if given else ''}{given}"


def _place(need: Need) -> str:
    place, parameter = SCOPES.get(need.permission.scope, "its resource"), need.permission.connection
    if not parameter:
        return place
    other = f"that of `{parameter}`"
    return other if parameter in need.permission.given else f"{place}, or {other}"


def _rights(permissions: Iterable[Permission]) -> str:
    """Roles by name, and actions below their common type of resource."""
    roles, below = [], defaultdict[str, list[str]](list)
    for one in permissions:
        roles += [] if one.actions else [f"the role {one.role}"]
        for name in one.actions:
            provider, resource, right = name.split("/", 2)
            below[f"{provider}/{resource}/"].append(f"`{right}`")
    return "; ".join([*roles, *(f"below `{head}`: {', '.join(names)}" for head, names in below.items())])


def main() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (written := write_tables(text)) != text:
            page.write_text(written, encoding="utf-8")
            print(f"wrote the rights of {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
