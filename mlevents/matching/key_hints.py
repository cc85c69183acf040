"""Where a key of `where` belongs that is written at another level."""

from collections.abc import Mapping

from mlevents.registry import did_you_mean

_COMBINATORS = ("any", "all", "not")


def suggest_level(key: str, keys: tuple[str, ...], names: object) -> str:
    """The message about a name at the wrong level; empty if no better level is known.

    `keys` and `names` are those of the level where the key is written.
    """
    if not isinstance(names, Mapping):
        return ""
    if keys:
        return _suggest_tags(key, names)
    roots = [root for root, fields in names.items() if isinstance(fields, Mapping) and key in fields]
    if roots:
        places = " or ".join(f"'{root}'" for root in roots)
        return f"'{key}' belongs below {places}: write `{roots[0]}: {{{key}: …}}`"
    *outer, last = key.split(".")
    below = names.get(outer[0]) if outer else None
    if isinstance(below, Mapping) and [*outer, last][1] in below:
        nested = "".join(f"{part}: {{" for part in outer)
        return f"'{key}' is a path: write it nested, as in `{nested}{last}: …{'}' * len(outer)}`"
    return ""


def _suggest_tags(key: str, names: Mapping[str, object]) -> str:
    maps = [name for name, kind in names.items() if kind == "texts"]
    if not maps or did_you_mean(key, [*names, *_COMBINATORS]):
        return ""
    known = ", ".join(sorted(names))
    return f"unknown name '{key}': write names such as {known}, or `{maps[0]}: {{{key}: …}}` if it is a tag"
