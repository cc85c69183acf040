"""Synthetic traffic for online endpoints, until it is changed.

`POST {"endpoint": "fraud", "rps": 20, "error_rate": 0.01, "latency_ms": 50}` sends so many requests in each
of Azure's seconds to the endpoint, which deals them out as it does real ones: by its traffic map, with
copies by its mirror. What is left out of `error_rate` and `latency_ms` is the model's own doing. With
`deployment` it says what that deployment gets instead of its share, as with the header
`azureml-model-deployment`; it need not be there yet. `"rps": 0` is silence. `GET` lists, `DELETE` ends it
all. Names compare without case; an endpoint that is not there is 404.
"""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

from aiohttp import web

from sandbox.azure.machine_learning.online_state import Deployment, Endpoint, Endpoints
from sandbox.azure.machine_learning.scoring import Profile, Scoring
from sandbox.azure.validation import anything, object_of, problems, text
from sandbox.pace import Pace

TICK, LONGEST_STEP = 0.05, 20.0
"""Real seconds between two rounds; Azure's seconds that one entry of the scores may stand for."""
SHAPE = object_of(
    {"endpoint": text(r"\S"), "rps": anything},
    deployment=text(r"\S"),
    error_rate=anything,
    latency_ms=anything,
)
KNOWN = frozenset({"endpoint", "deployment", "rps", "error_rate", "latency_ms"})
LIMITS = {"rps": 100_000.0, "error_rate": 1.0, "latency_ms": 600_000.0}


@dataclass(slots=True)
class Stream:
    """What one endpoint, or one of its deployments, gets; `owed` is the part of a request that is due."""

    wanted: dict[str, Any]
    profile: Profile
    owed: float = 0.0

    def due(self, seconds: float) -> int:
        """How many whole requests this time brings."""
        self.owed += self.wanted["rps"] * seconds
        count = int(self.owed)
        self.owed -= count
        return count


class Load:
    """Every stream of requests there is."""

    def __init__(self, pace: Pace, endpoints: Endpoints, scoring: Scoring, spawn: Any) -> None:
        self._pace = pace
        self._endpoints = endpoints
        self._scoring = scoring
        self._spawn = spawn
        self._streams: dict[tuple[str, str], Stream] = {}
        self._running = False

    def routes(self, path: str = "/_sandbox/load") -> list[web.RouteDef]:
        """Where it is asked for."""
        return [web.post(path, self._post), web.get(path, self._get), web.delete(path, self._delete)]

    def ask(self, wanted: Any) -> None:
        """Take a stream; raises ValueError that says what is wrong, LookupError without such an endpoint."""
        found = problems(SHAPE, wanted) or list(_nonsense(wanted))
        if found:
            raise ValueError("; ".join(found))
        if self._endpoints.find(wanted["endpoint"]) is None:
            raise LookupError(f"there is no endpoint '{wanted['endpoint']}': create it first")
        profile = Profile(wanted.get("error_rate"), _seconds(wanted.get("latency_ms")))
        key = wanted["endpoint"].lower(), (wanted.get("deployment") or "").lower()
        self._streams[key] = Stream(dict(wanted), profile)
        if not self._running:
            self._running = True
            work: Coroutine[Any, Any, None] = self._run()
            self._spawn(work)

    async def _run(self) -> None:
        last = self._pace.now()
        try:
            while any(one.wanted["rps"] for one in self._streams.values()):
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
        for (name, deployment), stream in list(self._streams.items()):
            count, endpoint = stream.due(seconds), self._endpoints.find(name)
            if not count or endpoint is None:
                continue
            if deployment:
                self._send(endpoint, endpoint.find(deployment), stream.profile, (count, moment))
            else:
                self._deal(endpoint, stream.profile, (count, moment))

    def _deal(self, endpoint: Endpoint, profile: Profile, batch: tuple[int, float]) -> None:
        """By the traffic map, and copies by the mirror; a deployment with a stream of its own gets that."""
        count, moment = batch
        for deployment, number in self._scoring.dealt(endpoint, count):
            if (endpoint.name.lower(), deployment.name.lower()) not in self._streams:
                self._send(endpoint, deployment, profile, (number, moment))
        for deployment, number in self._scoring.copied(endpoint, count):
            if (endpoint.name.lower(), deployment.name.lower()) not in self._streams:
                self._scoring.answer_many(endpoint, deployment, profile, (number, moment, True))

    def _send(
        self, endpoint: Endpoint, deployment: Deployment | None, profile: Profile, batch: tuple[int, float]
    ) -> None:
        if deployment is not None and deployment.serving is not None:
            self._scoring.answer_many(endpoint, deployment, profile, (*batch, False))

    async def _post(self, request: web.Request) -> web.Response:
        try:
            self.ask(json.loads(await request.read()))
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)
        except LookupError as error:
            return web.json_response({"error": error.args[0]}, status=404)
        return web.Response(status=204)

    async def _get(self, _: web.Request) -> web.Response:
        return web.json_response([stream.wanted for stream in self._streams.values()])

    async def _delete(self, _: web.Request) -> web.Response:
        self._streams.clear()
        return web.Response(status=204)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _is_within(value: Any, most: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and isfinite(value) and 0 <= value <= most


def _nonsense(wanted: dict[str, Any]) -> Iterator[str]:
    for name in sorted(set(wanted) - KNOWN):
        yield f"unknown property '{name}': give {', '.join(sorted(KNOWN))}"
    for name, most in LIMITS.items():
        value = wanted.get(name)
        if value is not None and not _is_within(value, most):
            yield f"'{name}' is {value!r}: give a number from 0 to {most:g}"
