"""Traffic maps of an endpoint: deployment → percent, with the sum 100 or 0.

Azure ML compares names of endpoints and deployments without case, and so do these functions.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from mlevents.canonical import fold

Traffic = Mapping[str, int]


def same_name(one: str, other: str) -> bool:
    """Whether both names mean the same endpoint or deployment."""
    return fold(one) == fold(other)


class DeploymentNames(Collection[str]):
    """Names of deployments, compared without case."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {fold(name): name for name in names}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and fold(name) in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._names)


def is_same_traffic(one: Traffic, other: Traffic) -> bool:
    """Whether two maps distribute requests in the same way; 0 % equals a missing name."""
    return _folded(one) == _folded(other)


def traffic_holders(traffic: Traffic) -> dict[str, int]:
    """The deployments with traffic."""
    return {name: percent for name, percent in traffic.items() if percent}


def share_of(traffic: Traffic, name: str) -> int:
    """A deployment's percent; 0 if the map does not name it."""
    return _folded(traffic).get(fold(name), 0)


def other_holders(traffic: Traffic, name: str) -> dict[str, int]:
    """The deployments with traffic, without this one."""
    return {other: share for other, share in traffic_holders(traffic).items() if not same_name(other, name)}


def keep_shares(traffic: Traffic, able: Iterable[str]) -> dict[str, int]:
    """The map for the deployments that can serve, in the same proportion.

    It is the unchanged map if all can serve, and empty if none can.
    """
    names = DeploymentNames(able)
    kept = {name: percent for name, percent in traffic_holders(traffic).items() if name in names}
    return dict(traffic) if kept == traffic_holders(traffic) else scale_shares(kept, sum(traffic.values()))


def shift_share(before: Traffic, deployment: str, percent: int) -> dict[str, int]:
    """The map that gives a deployment its share, and the rest to the others in the same proportion."""
    return {**scale_shares(other_holders(before, deployment), 100 - percent), deployment: percent}


def scale_shares(shares: Traffic, total: int) -> dict[str, int]:
    """Integer shares in the same proportion with this sum; shares of 0 are omitted."""
    whole = sum(shares.values())
    if not whole:
        return {}
    parts = {name: share * total // whole for name, share in shares.items()}
    rest = sorted(shares, key=lambda name: (-(shares[name] * total % whole), fold(name)))
    for name in rest[: total - sum(parts.values())]:
        parts[name] += 1
    return traffic_holders(parts)


def format_traffic(traffic: Traffic) -> str:
    """For people: `blue 90 %, green 10 %`."""
    return ", ".join(f"{name} {percent} %" for name, percent in traffic_holders(traffic).items()) or "none"


def _folded(traffic: Traffic) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, percent in traffic_holders(traffic).items():
        found[fold(name)] = found.get(fold(name), 0) + percent
    return found
