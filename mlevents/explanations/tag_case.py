"""Tags that a rule asks for and that an event has in another case: a frequent reason for no match."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.canonical import fold
from mlevents.matching.where import Where

MAPS = {"tags": "tag", "properties": "property"}


def find_other_cases(where: Where | None, names: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each tag or property that is absent as written and there in another case."""
    asked = dict.fromkeys(field.keys for field in where.root.fields()) if where else {}
    for keys in asked:
        if len(keys) != 3 or keys[1] not in MAPS:
            continue
        root, group, key = keys
        found = names.get(root, {}).get(group, {})
        others = [] if key in found else [other for other in found if fold(other) == fold(key)]
        for other in others:
            yield f"the {root} has the {MAPS[group]} '{other}', not '{key}': keys compare with case"
