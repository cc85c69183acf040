"""Traffic maps of an endpoint: deployment → percent, summing to 100 or 0."""

from collections.abc import Collection, Mapping

Traffic = Mapping[str, int]


def same(one: Traffic, other: Traffic) -> bool:
    """Whether two maps send every request to the same places; 0 % is the same as not named."""
    return serving(one) == serving(other)


def serving(traffic: Traffic) -> dict[str, int]:
    """The deployments that get any traffic."""
    return {name: percent for name, percent in traffic.items() if percent}


def shared(traffic: Traffic, able: Collection[str]) -> dict[str, int]:
    """The map for those deployments that are able to serve, in the same proportion.

    Exactly the map itself where all of them are; empty where none is.
    """
    kept = {name: percent for name, percent in serving(traffic).items() if name in able}
    whole = sum(serving(traffic).values())
    if sum(kept.values()) in (0, whole):
        return dict(traffic) if serving(traffic) == kept else kept
    return scaled(kept, whole)


def stepped(before: Traffic, deployment: str, percent: int) -> dict[str, int]:
    """The map that gives a deployment its share, and the others the rest in their proportion of before."""
    others = {name: share for name, share in serving(before).items() if name != deployment}
    return {**scaled(others, 100 - percent), deployment: percent}


def scaled(shares: Traffic, total: int) -> dict[str, int]:
    """Whole shares in the same proportion that sum to this; those that come to nothing are left out."""
    whole = sum(shares.values())
    if not whole:
        return {}
    parts = {name: share * total // whole for name, share in shares.items()}
    rest = sorted(shares, key=lambda name: (-(shares[name] * total % whole), name))
    for name in rest[: total - sum(parts.values())]:
        parts[name] += 1
    return serving(parts)


def words(traffic: Traffic) -> str:
    """For people: `blue 90 %, green 10 %`."""
    return ", ".join(f"{name} {percent} %" for name, percent in serving(traffic).items()) or "none"
