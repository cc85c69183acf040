"""Who gets how many requests: the traffic of each endpoint now, and sliders for its synthetic load."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.machine_learning.load import Load
from sandbox.azure.machine_learning.online_state import Endpoint
from sandbox.azure.workspaces import Workspaces

UNSET = -1.0
"""Of a slider at its left end: the model's tags decide, or a deployment gets its share of the endpoint's."""
MOST_RPS, MOST_LATENCY = 200.0, 2000.0
PERCENT = 100
COLORS = 5
"""The colours that the console's stylesheet has for deployments."""


@dataclass(frozen=True, slots=True)
class TrafficShare:
    """A deployment's part of an endpoint's traffic, from the percent at which its bar begins."""

    deployment: str
    percent: int
    begin: int
    color: int


@dataclass(frozen=True, slots=True)
class Slider:
    """One slider of a form: its value now, and the value in words."""

    name: str
    label: str
    value: float
    lowest: float
    highest: float
    step: float
    unit: str
    unset: str

    @property
    def words(self) -> str:
        """The value as people read it."""
        return self.unset if self.value < 0 else f"{self.value:g}{self.unit}"


def list_loads(workspaces: Workspaces, load: Load) -> Iterator[dict[str, Any]]:
    """Each endpoint for a template, with its traffic now and the sliders of itself and its deployments."""
    for part in workspaces.parts.values():
        for endpoint in part.endpoints.all():
            streams = [one for one in load.list_streams() if _is_of(one, endpoint, part.id, workspaces)]
            names = [one.name for one in endpoint.deployments.values()]
            yield {
                "name": endpoint.name,
                "workspace": part.id.rpartition("/")[2],
                "workspace_id": part.id,
                "shares": list(_stack_shares(endpoint.traffic, names)),
                "copies": [(name, percent) for name, percent in endpoint.mirror.items() if percent],
                "states": {one.name: one.state for one in endpoint.deployments.values()},
                "targets": [
                    {"deployment": name, "sliders": _list_sliders(name, _find_stream(streams, name))}
                    for name in ["", *names]
                ],
            }


def set_load(load: Load, form: Mapping[str, str]) -> None:
    """Set or remove the load of an endpoint or a deployment; raises ValueError or LookupError."""
    names = {name: form[name] for name in ("endpoint", "deployment", "workspace") if form.get(name)}
    values = {name: _read_number(form, name) for name in ("rps", "error_rate", "latency_ms")}
    if "error_rate" in form and values["error_rate"] >= 0:
        values["error_rate"] /= PERCENT
    if values["rps"] < 0:
        load.remove_stream(names.get("endpoint", ""), names.get("deployment", ""), names.get("workspace"))
        return
    load.set_stream({**names, **{name: value for name, value in values.items() if value >= 0}})


def _read_number(form: Mapping[str, str], name: str) -> float:
    text = form.get(name) or str(UNSET)
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"'{name}' is '{text:.50}': give a number") from error


def _is_of(stream: Mapping[str, Any], endpoint: Endpoint, workspace: str, workspaces: Workspaces) -> bool:
    if str(stream["endpoint"]).lower() != endpoint.name.lower():
        return False
    plane = workspaces.find_endpoint(endpoint.name, stream.get("workspace"))
    own = workspaces.find_endpoint(endpoint.name, workspace)
    return plane == own


def _find_stream(streams: list[Mapping[str, Any]], deployment: str) -> Mapping[str, Any]:
    return next((one for one in streams if (one.get("deployment") or "").lower() == deployment.lower()), {})


def _stack_shares(traffic: Mapping[str, int], names: list[str]) -> Iterator[TrafficShare]:
    """The shares from left to right; a deployment keeps its colour while others come and go."""
    begin = 0
    for color, name in enumerate(names):
        if percent := traffic.get(name, 0):
            yield TrafficShare(name, percent, begin, color % COLORS)
            begin += percent


def _list_sliders(deployment: str, stream: Mapping[str, Any]) -> list[Slider]:
    rate = stream.get("error_rate")
    rps = float(stream.get("rps", UNSET if deployment else 0))
    errors = UNSET if rate is None else round(float(rate) * PERCENT, 2)
    latency = UNSET if stream.get("latency_ms") is None else float(stream["latency_ms"])
    lowest = UNSET if deployment else 0.0
    share, own = "its share", "the model’s"
    return [
        Slider("rps", "Requests a second", rps, lowest, max(MOST_RPS, rps), 1, "/s", share),
        Slider("error_rate", "Errors", errors, UNSET, PERCENT, 1, " %", own),
        Slider("latency_ms", "Latency", latency, -10, max(MOST_LATENCY, latency), 10, " ms", own),
    ]
