"""Synthetic traffic for online endpoints, until it is changed.

`POST {"endpoint": "fraud", "rps": 20, "error_rate": 0.01, "latency_ms": 50}` sends 20 requests in each of
Azure's seconds to the endpoint, which distributes them as it does real ones: by its traffic map, with
copies by its mirror. Without `error_rate` or `latency_ms` the model's tags decide. With `deployment`
that deployment gets these requests instead of its share, as with the header `azureml-model-deployment`; it
may be created later. With `workspace`, its name or ARM id, only that workspace's endpoint is meant, else the
first one of this name. `"rps": 0` is silence. `GET` lists, `DELETE` ends all. Names compare without case; an
unknown endpoint is 404.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from aiohttp import web

from sandbox.azure.machine_learning.online_state import Deployment, Endpoint, Endpoints
from sandbox.azure.machine_learning.scores import Profile
from sandbox.azure.machine_learning.scoring import Scoring
from sandbox.azure.validation import find_problems, parse_json
from sandbox.pace import Pace

TICK, LONGEST_STEP = 0.05, 20.0
"""Real seconds between two rounds; Azure's seconds that one entry of the scores may stand for."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The data plane of one workspace."""

    endpoints: Endpoints
    scoring: Scoring


@dataclass(slots=True)
class Stream:
    """What one endpoint, or one of its deployments, gets. `source` is the JSON, as `GET` lists it.

    `owed` is the part of a request that is due.
    """

    plane: Plane
    source: Mapping[str, object]
    rps: float
    profile: Profile
    owed: float = 0.0

    def due(self, seconds: float) -> int:
        """How many whole requests this time brings."""
        self.owed += self.rps * seconds
        count = int(self.owed)
        self.owed -= count
        return count


class Load:
    """Every stream of requests there is."""

    def __init__(
        self, pace: Pace, find_plane: Callable[[str, str | None], Plane | None], start_task: Any
    ) -> None:
        self._pace = pace
        self._find_plane = find_plane
        self._spawn = start_task
        self._streams: dict[tuple[Plane, str, str], Stream] = {}
        self._running = False

    def routes(self, path: str = "/_sandbox/load") -> list[web.RouteDef]:
        """Where it is asked for."""
        return [web.post(path, self._post), web.get(path, self._get), web.delete(path, self._delete)]

    def set_stream(self, source: Any) -> None:
        """Set a stream; raises ValueError that says what is wrong, LookupError without such an endpoint."""
        found = find_problems("load", source)
        if found:
            raise ValueError("; ".join(found))
        plane = self._find_plane(source["endpoint"], source.get("workspace"))
        if plane is None:
            raise LookupError(f"there is no endpoint '{source['endpoint']}': create it first")
        profile = Profile(source.get("error_rate"), _seconds(source.get("latency_ms")))
        key = plane, source["endpoint"].lower(), (source.get("deployment") or "").lower()
        self._streams[key] = Stream(plane, dict(source), source["rps"], profile)
        if not self._running:
            self._running = True
            work: Coroutine[Any, Any, None] = self._run()
            self._spawn(work)

    def list_streams(self) -> list[Mapping[str, object]]:
        """Each stream, as it was requested."""
        return [stream.source for stream in self._streams.values()]

    def remove_stream(self, endpoint: str, deployment: str = "", workspace: str | None = None) -> None:
        """Remove a stream, if there is one: a deployment gets its share again."""
        if plane := self._find_plane(endpoint, workspace):
            self._streams.pop((plane, endpoint.lower(), deployment.lower()), None)

    async def _run(self) -> None:
        last = self._pace.now()
        try:
            while any(one.rps for one in self._streams.values()):
                await asyncio.sleep(TICK)
                now = self._pace.now()
                begin, end, last = last.timestamp(), now.timestamp(), now
                rounds = max(1, ceil((end - begin) * self._pace.speed / LONGEST_STEP))
                for number in range(rounds):
                    moment = begin + (end - begin) * (number + 0.5) / rounds
                    self._round((end - begin) / rounds * self._pace.speed, moment)
        finally:
            self._running = False

    def _round(self, seconds: float, moment: float) -> None:
        for (plane, name, deployment), stream in list(self._streams.items()):
            count, endpoint = stream.due(seconds), plane.endpoints.find(name)
            if not count or endpoint is None:
                continue
            if deployment:
                self._send(stream, endpoint, endpoint.find(deployment), (count, moment))
            else:
                self._deal(stream, endpoint, (count, moment))

    def _deal(self, stream: Stream, endpoint: Endpoint, batch: tuple[int, float]) -> None:
        """By the traffic map, and copies by the mirror; a deployment with a stream of its own gets that."""
        (count, moment), scoring = batch, stream.plane.scoring
        own = {
            deployment
            for plane, name, deployment in self._streams
            if plane == stream.plane and name == endpoint.name.lower()
        }
        for deployment, number in scoring.distribute_requests(endpoint, count):
            if deployment.name.lower() not in own:
                self._send(stream, endpoint, deployment, (number, moment))
        for deployment, number in scoring.distribute_copies(endpoint, count):
            if deployment.name.lower() not in own:
                scoring.answer_many(endpoint, deployment, stream.profile, (number, moment, True))

    def _send(
        self, stream: Stream, endpoint: Endpoint, deployment: Deployment | None, batch: tuple[int, float]
    ) -> None:
        if deployment is not None and deployment.serving is not None:
            stream.plane.scoring.answer_many(endpoint, deployment, stream.profile, (*batch, False))

    async def _post(self, request: web.Request) -> web.Response:
        try:
            self.set_stream(parse_json(await request.read()))
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)
        except LookupError as error:
            return web.json_response({"error": error.args[0]}, status=404)
        return web.Response(status=204)

    async def _get(self, _: web.Request) -> web.Response:
        return web.json_response([dict(one) for one in self.list_streams()])

    async def _delete(self, _: web.Request) -> web.Response:
        self._streams.clear()
        return web.Response(status=204)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
