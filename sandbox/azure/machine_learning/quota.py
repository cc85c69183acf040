"""Sizes of virtual machines and their quota, as Azure Machine Learning reports them."""

from typing import Any

from aiohttp import web

from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import ML, SUBSCRIPTION_ID

PATH = f"/subscriptions/{{subscription}}/providers/{ML}/locations/{{location}}"
ONLINE = ["AmlCompute", "ComputeInstance", "MIR"]
SIZES = {
    "Standard_DS2_v2": ("standardDSv2Family", 2, ONLINE),
    "Standard_DS3_v2": ("standardDSv2Family", 4, ONLINE),
    "Standard_DS12_v2": ("standardDSv2Family", 4, ONLINE[:2]),
    "Standard_F4s_v2": ("standardFSv2Family", 4, ONLINE),
    "Standard_NC6s_v3": ("standardNCSv3Family", 6, ONLINE),
}
USAGES = {"DSv2": (8, 24), "FSv2": (0, 24)}
"""By family: virtual CPUs in use, and the limit. There is no quota of NCSv3."""


class Quota:
    """Serves them for every region alike."""

    def register(self, routes: Routes) -> None:
        """Serve them."""
        routes.add("GET", f"{PATH}/vmSizes", self._sizes)
        routes.add("GET", f"{PATH}/usages", self._usages)

    async def _sizes(self, _: Call) -> web.Response:
        rows = [
            {"name": name, "family": family, "vCPUs": cores, "gpus": 0, "supportedComputeTypes": kinds}
            for name, (family, cores, kinds) in SIZES.items()
        ]
        return web.json_response({"value": rows})

    async def _usages(self, _: Call) -> web.Response:
        rows = [_row(family, used, limit) for family, (used, limit) in USAGES.items()]
        low = [_row(family, 0, -1, "LowPriority") for family in USAGES]
        return web.json_response({"value": [*low, *rows]})


def _row(family: str, used: int, limit: int, kind: str = "Dedicated") -> dict[str, Any]:
    name = f"Standard {family} Family Cluster {kind} vCPUs"
    return {
        "id": f"{SUBSCRIPTION_ID}/usages/{name.replace(' ', '_')}",
        "type": f"{ML}/vmFamily/usages",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": name},
        "unit": "Count",
    }
