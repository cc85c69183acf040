"""An endpoint's scoring address: authentication, routing, and one model for all.

Every model answers alike, from its name, its version and the request alone. A registered model with the
tag `sandbox.error_rate` (0 to 1) fails for that share of the requests, and one with `sandbox.latency`
(seconds) takes that long, which no speed shortens: so bad models can be tried.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.azure.errors import ArmError
from sandbox.azure.machine_learning.online_state import Deployment, Endpoint, Endpoints
from sandbox.azure.machine_learning.predictions import named_model, predictions
from sandbox.azure.machine_learning.scores import Profile, Score
from sandbox.azure.machine_learning.scoring_access import ScoringAccess
from sandbox.azure.machine_learning.traffic import WHOLE, WeightedRouting
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import Workspace

ERROR_RATE, LATENCY = "sandbox.error_rate", "sandbox.latency"
SLOWEST = 30.0
KEPT = 50_000
SECONDS = 0.02
FINE = 10_000
"""Into how many parts a load's error rate is divided."""


class Scoring:
    """The data plane of the online endpoints. `scores` are the last answers, for metrics."""

    def __init__(
        self,
        workspace: Workspace,
        endpoints: Endpoints,
        find_model: Callable[[str], Mapping[str, Any] | None],
        access: ScoringAccess,
    ) -> None:
        self.scores: deque[Score] = deque(maxlen=KEPT)
        self._workspace = workspace
        self._endpoints = endpoints
        self._find_model = find_model
        self._access = access
        self._routing = WeightedRouting()

    def register(self, routes: Routes) -> None:
        """Serve every endpoint's scoring address."""
        routes.add("POST", "/inference/{endpoint}/score", self._score, versioned=False, audience="none")

    def count_answers(self) -> dict[str, dict[str, int]]:
        """How often each `endpoint/deployment` answered with each status; mirrored answers apart."""
        counts: dict[str, dict[str, int]] = {}
        for score in self.scores:
            row = counts.setdefault(f"{score.endpoint}/{score.deployment}", {})
            column = "mirrored" if score.mirrored else str(score.status)
            row[column] = row.get(column, 0) + score.count
        return counts

    def list_scores(self) -> list[dict[str, Any]]:
        """The last answers as JSON."""
        return [asdict(score) for score in self.scores]

    def distribute_requests(self, endpoint: Endpoint, count: int) -> list[tuple[Deployment, int]]:
        """Who answers so many requests, by the endpoint's traffic map."""
        return self._named(endpoint, self._routing.distribute(endpoint.name, endpoint.traffic, count))

    def distribute_copies(self, endpoint: Endpoint, count: int) -> list[tuple[Deployment, int]]:
        """Who gets copies of so many requests, by the endpoint's mirror."""
        share = sum(endpoint.mirror.values())
        shares = {**endpoint.mirror, "": WHOLE - share} if share else {}
        return self._named(endpoint, self._routing.distribute(f"{endpoint.name} mirror", shares, count))

    def answer_many(
        self, endpoint: Endpoint, deployment: Deployment, profile: Profile, batch: tuple[int, float, bool]
    ) -> None:
        """Let a deployment answer `batch`: how many requests, at which time, and whether they are copies."""
        count, moment, mirrored = batch
        rate = profile.error_rate
        if rate is None:
            rate = min(1.0, _number(self._tag(deployment, ERROR_RATE)) or 0.0)
        shares = {"failed": round(rate * FINE), "fine": FINE - round(rate * FINE)}
        dealt = self._routing.distribute(f"{endpoint.name}/{deployment.name} load", shares, count)
        own = self._latency(deployment) or SECONDS
        seconds = own if profile.seconds is None else profile.seconds
        for kind, (code, status) in {"fine": (200, 200), "failed": (424, 500)}.items():
            if number := dealt.get(kind):
                score = Score(moment, endpoint.name, deployment.name, code, seconds, mirrored, status, number)
                self.scores.append(score)

    def _named(self, endpoint: Endpoint, dealt: Mapping[str, int]) -> list[tuple[Deployment, int]]:
        found = [(endpoint.find(name), count) for name, count in dealt.items() if name]
        return [(one, count) for one, count in found if one is not None and one.serving is not None]

    async def _score(self, call: Call) -> web.Response:
        endpoint = self._endpoints.find(call.names["endpoint"])
        if endpoint is None:
            raise ArmError(404, "NotFound", f"There is no endpoint '{call.names['endpoint']}'.")
        self._access.check(endpoint, call.request.headers.get("Authorization"))
        deployment = self._choose(endpoint, call.request.headers.get("azureml-model-deployment"))
        raw = await call.request.read()
        self._mirror(endpoint, raw)
        seconds = self._latency(deployment)
        if seconds is not None:
            await asyncio.sleep(seconds)
        return self._answer(endpoint, deployment, raw)

    def _choose(self, endpoint: Endpoint, asked: str | None) -> Deployment:
        if asked:
            deployment = endpoint.find(asked)
            if deployment is None:
                raise ArmError(404, "NotFound", f"Specified deployment '{asked}' could not be found.")
        else:
            name = self._routing.choose(endpoint.name, endpoint.traffic)
            deployment = endpoint.find(name) if name else None
            if deployment is None:
                text = "The endpoint doesn't have any valid deployment with positive weight."
                raise ArmError(404, "NotFound", text)
        if deployment.serving is None:
            text = f"Deployment '{deployment.name}' is in {deployment.state} provisioning state."
            raise ArmError(503, "ServiceUnavailable", text)
        return deployment

    def _mirror(self, endpoint: Endpoint, raw: bytes) -> None:
        share = sum(endpoint.mirror.values())
        if not share:
            return
        name = self._routing.choose(f"{endpoint.name} mirror", {**endpoint.mirror, "": 100 - share})
        deployment = endpoint.find(name) if name else None
        if deployment and deployment.serving is not None:
            self._answer(endpoint, deployment, raw, mirrored=True)

    def _answer(
        self, endpoint: Endpoint, deployment: Deployment, raw: bytes, *, mirrored: bool = False
    ) -> web.Response:
        reference = deployment.serving or ""
        status = self._model_status(endpoint, deployment, raw)
        now = self._workspace.pace.now().timestamp()
        code = 200 if status == 200 else 424
        seconds = self._latency(deployment) or SECONDS
        self.scores.append(Score(now, endpoint.name, deployment.name, code, seconds, mirrored, status))
        deployment.write(f"POST /score {status} {seconds * 1000:.0f} ms")
        headers = {"azureml-model-deployment": deployment.name}
        if code != status:
            headers |= {
                "ms-azureml-model-error-statuscode": str(status),
                "ms-azureml-model-error-reason": "model_error",
            }
            return web.json_response({"error": "the model failed"}, status=code, headers=headers)
        answer = {
            **named_model(reference),
            "deployment": deployment.name,
            "predictions": predictions(reference, raw),
        }
        return web.json_response(answer, headers=headers)

    def _model_status(self, endpoint: Endpoint, deployment: Deployment, raw: bytes) -> int:
        try:
            json.loads(raw)
        except ValueError:
            return 400
        rate = min(1.0, _number(self._tag(deployment, ERROR_RATE)) or 0.0)
        shares = {"failed": round(rate * 100), "fine": 100 - round(rate * 100)}
        turn = self._routing.choose(f"{endpoint.name}/{deployment.name}", shares)
        return 500 if turn == "failed" else 200

    def _latency(self, deployment: Deployment) -> float | None:
        seconds = _number(self._tag(deployment, LATENCY))
        return seconds and min(seconds, SLOWEST)

    def _tag(self, deployment: Deployment, name: str) -> str | None:
        model = self._find_model(deployment.serving or "") or {"properties": {}}
        found: str | None = (model["properties"].get("tags") or {}).get(name)
        return found


def _number(text: str | None) -> float | None:
    try:
        return max(0.0, float(text or 0)) or None
    except ValueError:
        return None
