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
    total = sum(kept.values())
    if total in (0, sum(serving(traffic).values())):
        return dict(traffic) if serving(traffic) == kept else kept
    parts = {name: percent * 100 // total for name, percent in kept.items()}
    for name in sorted(kept, key=lambda name: (-(kept[name] * 100 % total), name))[
        : 100 - sum(parts.values())
    ]:
        parts[name] += 1
    return parts


def words(traffic: Traffic) -> str:
    """For people: `blue 90 %, green 10 %`."""
    return ", ".join(f"{name} {percent} %" for name, percent in serving(traffic).items()) or "none"
