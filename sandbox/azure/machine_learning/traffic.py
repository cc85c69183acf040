"""The rules for traffic maps, and the choice of the deployment for a request."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.azure.errors import ProviderError, user_error
from sandbox.azure.machine_learning.online_state import Endpoint

WHOLE = 100
MOST_MIRRORED = 50


def check_traffic(properties: Mapping[str, Any], endpoint: Endpoint | None) -> None:
    """Refuse a map that Azure Machine Learning would refuse; `endpoint` is None while it is new.

    The sum, the limits of mirroring, and that a deployment takes live or mirrored requests and not
    both, are documented. That only deployments which have succeeded can get any is inferred.
    """
    traffic, mirror = properties.get("traffic") or {}, properties.get("mirrorTraffic") or {}
    for shares in (traffic, mirror):
        twice = [name for name in shares if [one.lower() for one in shares].count(name.lower()) > 1]
        if twice:
            raise _refused("Traffic", f"Deployment {twice[0]} is named twice: names compare without case.")
    outside = [name for name, share in {**traffic, **mirror}.items() if not 0 <= share <= WHOLE]
    if outside:
        raise _refused("Traffic", f"The traffic of {outside[0]} must be from 0 to 100.")
    if sum(traffic.values()) not in (0, WHOLE):
        raise _refused("Traffic", "The sum of traffic must be 0 or 100.", "Total traffic must be 0 or 100")
    _check_mirror(traffic, mirror)
    for name in [name for shares in (traffic, mirror) for name, share in shares.items() if share]:
        _check_deployment(name, endpoint)


def share_of(shares: Mapping[str, int], name: str) -> int:
    """A deployment's share, whatever the case of its name."""
    return sum(share for one, share in shares.items() if one.lower() == name.lower())


def _check_mirror(traffic: Mapping[str, int], mirror: Mapping[str, int]) -> None:
    mirrored = {name: share for name, share in mirror.items() if share}
    if len(mirrored) > 1:
        raise _refused("MirrorTraffic", "Mirror traffic can go to one deployment only.")
    for name, share in mirrored.items():
        if share > MOST_MIRRORED:
            raise _refused("MirrorTraffic", f"Mirror traffic to {name} must be from 0 to {MOST_MIRRORED}.")
        if share_of(traffic, name):
            raise _refused("MirrorTraffic", f"Deployment {name} cannot have live and mirror traffic at once.")


def _check_deployment(name: str, endpoint: Endpoint | None) -> None:
    deployment = endpoint.find(name) if endpoint else None
    if deployment is None:
        raise _refused("Traffic", f"Deployment {name} in the traffic rules does not exist.")
    if deployment.state != "Succeeded":
        raise _refused(
            "Traffic", f"Deployment {name} cannot take traffic in {deployment.state} provisioning state."
        )


def _refused(field: str, message: str, detail: str | None = None) -> ProviderError:
    errors = json.dumps({"errors": {field: [detail or message]}}, separators=(",", ":"))
    return user_error(message, InferencingClientCallFailed=errors)


class WeightedRouting:
    """Distributes requests by weight: of every hundred, each name gets exactly its share."""

    def __init__(self) -> None:
        self._credit: dict[str, dict[str, int]] = {}

    def choose(self, key: str, shares: Mapping[str, int]) -> str | None:
        """The name that gets the next request, or None when no share is above 0."""
        live = {name: share for name, share in shares.items() if share > 0}
        if not live:
            return None
        known = self._credit.get(key, {})
        credit = {name: known.get(name, 0) + share for name, share in live.items()}
        chosen = max(credit, key=lambda name: credit[name])
        credit[chosen] -= sum(live.values())
        self._credit[key] = credit
        return chosen

    def distribute(self, key: str, shares: Mapping[str, int], count: int) -> dict[str, int]:
        """How many of `count` requests each name gets; the remainder of a share counts the next time."""
        live = {name: share for name, share in shares.items() if share > 0}
        whole = sum(live.values())
        if not whole:
            return {}
        known = self._credit.get(key, {})
        credit = {name: known.get(name, 0) + share * count for name, share in live.items()}
        dealt = {name: max(0, one // whole) for name, one in credit.items()}
        for name in sorted(live, key=lambda name: credit[name] - dealt[name] * whole, reverse=True):
            dealt[name] += 1 if sum(dealt.values()) < count else 0
        for name in sorted(live, key=lambda name: credit[name] - dealt[name] * whole):
            over = sum(dealt.values()) - count
            dealt[name] -= min(max(over, 0), dealt[name])
        self._credit[key] = {name: credit[name] - dealt[name] * whole for name in live}
        return {name: number for name, number in dealt.items() if number}
