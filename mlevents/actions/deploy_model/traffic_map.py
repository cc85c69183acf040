"""Traffic maps of an endpoint: deployment → percent, summing to 100 or 0.

Azure ML compares the names of endpoints and deployments without regard to case, so everything here does.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from mlevents.canonical import fold

Traffic = Mapping[str, int]


def same_name(one: str, other: str) -> bool:
    """Whether both are names of one endpoint or deployment."""
    return fold(one) == fold(other)


class Names(Collection[str]):
    """Names of deployments, of which Azure ML finds each in any casing."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {fold(name): name for name in names}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and fold(name) in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._names)


def same(one: Traffic, other: Traffic) -> bool:
    """Whether two maps send every request to the same places; 0 % is the same as not named."""
    return _folded(one) == _folded(other)


def serving(traffic: Traffic) -> dict[str, int]:
    """The deployments that get any traffic."""
    return {name: percent for name, percent in traffic.items() if percent}


def share_of(traffic: Traffic, name: str) -> int:
    """A deployment's percent; 0 where the map does not name it."""
    return _folded(traffic).get(fold(name), 0)


def without(traffic: Traffic, name: str) -> dict[str, int]:
    """The deployments that get any traffic, but for this one."""
    return {other: share for other, share in serving(traffic).items() if not same_name(other, name)}


def shared(traffic: Traffic, able: Iterable[str]) -> dict[str, int]:
    """The map for those deployments that are able to serve, in the same proportion.

    Exactly the map itself where all of them are; empty where none is.
    """
    names = Names(able)
    kept = {name: percent for name, percent in serving(traffic).items() if name in names}
    return dict(traffic) if kept == serving(traffic) else scaled(kept, sum(traffic.values()))


def stepped(before: Traffic, deployment: str, percent: int) -> dict[str, int]:
    """The map that gives a deployment its share, and the others the rest in their proportion of before."""
    return {**scaled(without(before, deployment), 100 - percent), deployment: percent}


def scaled(shares: Traffic, total: int) -> dict[str, int]:
    """Whole shares in the same proportion that sum to this; those that come to nothing are left out."""
    whole = sum(shares.values())
    if not whole:
        return {}
    parts = {name: share * total // whole for name, share in shares.items()}
    rest = sorted(shares, key=lambda name: (-(shares[name] * total % whole), fold(name)))
    for name in rest[: total - sum(parts.values())]:
        parts[name] += 1
    return serving(parts)


def words(traffic: Traffic) -> str:
    """For people: `blue 90 %, green 10 %`."""
    return ", ".join(f"{name} {percent} %" for name, percent in serving(traffic).items()) or "none"


def _folded(traffic: Traffic) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, percent in serving(traffic).items():
        found[fold(name)] = found.get(fold(name), 0) + percent
    return found
