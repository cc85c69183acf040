"""Azure ML and Azure Monitor of people's size on a virtual clock, with an invariant after every write.

Operations take their time, one at a time; requests come at a steady rate and are answered by whoever has
the traffic. `Trouble` strikes one numbered call, so that a test can strike each of them in turn.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.services.azure_credential import READ_TIMEOUT
from mlevents.services.connection import Connection, Message
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.machine_learning.states import (
    DeploymentState,
    EndpointState,
    NewDeployment,
    NewEndpoint,
)
from mlevents.services.metrics import Minute, Minutes
from mlevents.services.scoring import ScoringAnswer, ScoringTarget
from mlevents.settings import Settings
from tests.unit.actions.deploy_model.fake_workspace import TOPIC

BUSY = ("Creating", "Updating", "Scaling", "Deleting")
ENDPOINT, TRAFFIC, DEPLOYMENT, DELETE = 60.0, 15.0, 480.0, 90.0
COLLEAGUE = 600.0
"""Seconds that an operation of someone else takes."""
RATE, TICK, LATE = 5.0, 15.0, 60.0
"""Requests a second; seconds by which the clock moves; seconds until a request shows in the metrics."""


TRANSIT = 30.0
"""Seconds that a late write takes to arrive after its sender has given up."""


class KilledError(BaseException):
    """The worker died."""


@dataclass
class Trouble:
    """What happens at the call with this number, counted from 1, and at `more`; see `Call`."""

    at: int = 0
    kind: str = ""
    struck: str = ""
    more: Mapping[int, str] = field(default_factory=dict)


@dataclass
class Placed:
    """A deployment; `error_rate` and `latency` are its model's doing.

    One that has succeeded once goes on to serve while it changes or after a change has failed; `refused`
    means that Azure takes no map that names it unless it has succeeded.
    """

    state: DeploymentState
    error_rate: float = 0.0
    latency: float = 0.02
    served: bool = False
    refused: bool = True

    @property
    def able(self) -> bool:
        """Whether it answers requests."""
        return self.served or self.state.provisioning_state == "Succeeded"


@dataclass
class World:
    """One endpoint's world; in the place of `Services`, of `MachineLearning` and of its parts."""

    files: dict[str, str] = field(default_factory=lambda: {"small.yaml": "instance_type: Standard_DS3_v2\n"})
    trouble: Trouble = field(default_factory=Trouble)
    errors: dict[str, float] = field(default_factory=dict)
    latencies: dict[str, float] = field(default_factory=dict)
    rate: float = RATE
    now: float = 0.0
    calls: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    endpoint_state: EndpointState | None = None
    live: dict[str, int] = field(default_factory=dict)
    copied: dict[str, int] = field(default_factory=dict)
    placed: dict[str, Placed] = field(default_factory=dict)
    answered: list[tuple[float, str, float, float]] = field(default_factory=list)
    probed: list[tuple[float, str, float, float]] = field(default_factory=list)
    pending: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    meddling: Callable[["World"], None] = lambda _: None
    metrics_down: bool = False
    twice: bool = False
    settings: Settings = field(default_factory=Settings)
    workspace: Workspace = field(default_factory=lambda: Workspace.parse(TOPIC))
    model_tags_of: dict[str, Mapping[str, str]] = field(default_factory=dict)
    busy_until: float = 0.0
    recase: Callable[[str], str] = str
    failing: str = ""
    messages: list[tuple[float, Message]] = field(default_factory=list)

    # Services

    def list_connections(self) -> Iterator[Connection]:
        yield from ()

    def machine_learning(self, _: str) -> "World":
        return self

    @property
    def endpoints(self) -> "World":
        return self

    def read(self, name: str) -> str:
        return self.files[name]

    def score(self, place: ScoringTarget, _request: Any) -> ScoringAnswer:
        with self.call("score"):
            name = self._own(place.deployment)
            placed = self.placed[name]
            status = 424 if placed.error_rate >= 1 else 200
            if place.mark:
                self.probed.append((self.now, name, 1.0, placed.error_rate))
            return ScoringAnswer(status, placed.latency, {"predictions": [0.5]}, "{}")

    def pause(self, seconds: float) -> None:
        self.advance(seconds)

    def connection(self, _: str) -> "World":
        return self

    def send(self, message: Message, _services: Any) -> str:
        self.messages.append((self.now, message))
        return "people"

    @property
    def metrics(self) -> "World":
        return self

    def resource_manager(self) -> "World":
        return self

    def refusal(self, *_: object) -> str | None:
        return None

    def model_tags(self, name: str, version: str) -> Mapping[str, str] | None:
        return self.model_tags_of.get(f"{name}:{version}")

    # Time and traffic

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            step = min(
                TICK, end - self.now, *(due - self.now for due, _ in self.pending if due > self.now), TICK
            )
            for name, share in {**self.live}.items():
                self._serve(name, share, step)
            for name, share in {**self.copied}.items():
                self._serve(name, share, step)
            self.now += step
            for one in [one for one in self.pending if one[0] <= self.now]:
                self.pending.remove(one)
                one[1]()
        self.meddling(self)

    def _serve(self, name: str, share: int, seconds: float) -> None:
        if share and self.rate:
            number = self.rate * seconds * share / 100
            self.answered.append((self.now, name, number, number * self.placed[name].error_rate))

    def _later(self, seconds: float, happen: Callable[[], None]) -> None:
        self.pending.append((self.now + seconds, happen))

    # Calls

    def call(self, name: str) -> "Call":
        return Call(self, name)

    def names(self) -> tuple[str, ...]:
        with self.call("list endpoints") as call:
            if call.kind == "empty" or self.endpoint_state is None:
                return ()
            return (self.recase(self.endpoint_state.name),)

    def endpoint(self, name: str) -> EndpointState | None:
        with self.call("read endpoint") as call:
            state = self.endpoint_state
            if call.kind == "absent" or state is None or state.name.lower() != name.lower():
                return None
            maps = (
                {self.recase(one): share for one, share in m.items()} for m in (state.traffic, state.mirror)
            )
            traffic, mirror = maps
            return replace(state, name=self.recase(state.name), traffic=traffic, mirror=mirror)

    def deployments(self, endpoint: str) -> tuple[DeploymentState, ...]:
        with self.call("list deployments") as call:
            return tuple(map(self._shown, self.placed.values())) if call.kind != "empty" else ()

    def deployment(self, endpoint: str, name: str) -> DeploymentState | None:
        with self.call("read deployment") as call:
            found = self.placed.get(self._own(name))
            return self._shown(found) if found and call.kind != "absent" else None

    def _shown(self, one: Placed) -> DeploymentState:
        return replace(one.state, name=self.recase(one.state.name))

    def _own(self, name: str) -> str:
        """The name under which a deployment was created."""
        return next((own for own in self.placed if own.lower() == name.lower()), name)

    def token(self, state: EndpointState) -> str:
        with self.call("read key"):
            return "key"

    def log(self, endpoint: str, deployment: str, lines: int) -> tuple[str, ...]:
        with self.call("read log"):
            return tuple(f"line {number}" for number in range(lines))

    def reason(self, state: EndpointState | DeploymentState) -> str:
        return "OutOfQuota: not enough cores"

    def minutes(self, endpoint_id: str, span: float, percentiles: Any) -> Minutes:
        with self.call("read metrics") as call:
            if self.metrics_down:
                return {}
            if call.kind == "nan":
                nan = float("nan")
                return {
                    name.lower(): (Minute(60.0, nan, nan, dict.fromkeys(percentiles, nan)),)
                    for name in self.placed
                }
            found: dict[str, dict[int, Minute]] = {}
            for time, name, requests, errors in (*self.answered, *self.probed):
                if self.now - span - 60 <= time <= self.now - LATE:
                    began = int(time // 60)
                    latency = dict.fromkeys(
                        percentiles, self.placed[name].latency if name in self.placed else 0.02
                    )
                    minute = found.setdefault(name, {}).setdefault(
                        began, Minute(self.now - began * 60, latency=latency)
                    )
                    minute.requests += requests
                    minute.errors += errors
            return {
                name.lower(): tuple(sorted(those.values(), key=lambda one: one.age))
                for name, those in found.items()
            }

    def put_endpoint(self, wanted: NewEndpoint) -> bool:
        with self.call(f"put endpoint {wanted.name}") as call:
            self._free()
            if self.endpoint_state is not None:
                self.endpoint_state = replace(self.endpoint_state, tags=dict(wanted.tags))
                self.put_maps({}, {}, call)
                return False
            self.endpoint_state = EndpointState(
                wanted.name, "Creating", tags=dict(wanted.tags), auth_mode="Key", scoring_uri="https://score"
            )
            self._wrote(call, ENDPOINT, self._endpoint_is("Succeeded"), self._endpoint_is("Failed"))
            return True

    def set_traffic(
        self,
        name: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        check: Callable[[EndpointState], object] = lambda _: None,
    ) -> None:
        found = self.endpoint(name)
        if found is None:
            raise TransientError("404: it is looked for again", busy=True)
        check(found)
        wanted = (self._owned(traffic), self._owned(found.mirror if mirror is None else mirror))
        with self.call(f"put traffic {wanted[0]} {wanted[1] or ''}".strip()) as call:
            if call.kind == "late":
                self._later(READ_TIMEOUT + TRANSIT, lambda: self._arrive(*wanted))
                self.advance(READ_TIMEOUT)
                raise TransientError(f"{call.name}: no answer within {READ_TIMEOUT} s")
            self._free()
            self._refuse_broken(*wanted)
            self.put_maps(*wanted, call)

    def _arrive(self, traffic: dict[str, int], mirror: dict[str, int]) -> None:
        """A write of which nobody waits for the answer any more; Azure may refuse it like any other."""
        with suppress(TransientError, RefusedError):
            self._free()
            self._refuse_broken(traffic, mirror)
            self.put_maps(traffic, mirror)

    def _owned(self, traffic: Mapping[str, int]) -> dict[str, int]:
        return {self._own(name): share for name, share in traffic.items()}

    def _refuse_broken(self, *maps: Mapping[str, int]) -> None:
        for name in [name for one in maps for name, share in one.items() if share]:
            placed = self.placed.get(name)
            state = placed.state.provisioning_state if placed else "missing"
            if state != "Succeeded" and (placed is None or placed.refused):
                answer = f"Deployment {name} cannot take traffic in {state} provisioning state."
                raise RefusedError(f"moving the traffic: 400 {answer}", status=400, answer=answer)

    def colleague(self, name: str, state: str, seconds: float = COLLEAGUE, then: str = "Succeeded") -> None:
        """Someone else changes a deployment, which serves meanwhile."""
        self.placed[name].served = True
        self._deployment_is(name, state)()
        self._later(seconds, self._deployment_is(name, then))

    def put_maps(self, traffic: dict[str, int], mirror: dict[str, int], call: "Call | None" = None) -> None:
        """Somebody puts the endpoint with these maps."""
        assert self.endpoint_state is not None
        before = (dict(self.endpoint_state.traffic), dict(self.endpoint_state.mirror))
        self.endpoint_state = replace(
            self.endpoint_state, traffic=traffic, mirror=mirror, provisioning_state="Updating"
        )

        def done() -> None:
            if self.endpoint_state:
                self.live, self.copied = dict(traffic), dict(mirror)
                self._endpoint_is("Succeeded")()

        def failed() -> None:
            if self.endpoint_state:
                self.endpoint_state = replace(self.endpoint_state, traffic=before[0], mirror=before[1])
                self._endpoint_is("Failed")()

        self._wrote(call, TRAFFIC, done, failed)

    def put_deployment(self, wanted: NewDeployment) -> None:
        with self.call(f"put deployment {wanted.name}") as call:
            self._free()
            state = DeploymentState(
                wanted.name, "Creating", wanted.model, dict(wanted.tags), created=f"{self.now}"
            )
            version = wanted.model.rpartition("/")[2]
            self.placed[wanted.name] = Placed(
                state, self.errors.get(version, 0.0), self.latencies.get(version, 0.02)
            )
            self._wrote(
                call,
                DEPLOYMENT,
                self._deployment_is(wanted.name, "Succeeded"),
                self._deployment_is(wanted.name, "Failed"),
            )

    def delete_deployment(self, endpoint: str, name: str) -> None:
        name = self._own(name)
        with self.call(f"delete deployment {name}") as call:
            self._free()
            assert self.endpoint_state is not None
            if self.endpoint_state.traffic.get(name) or self.endpoint_state.mirror.get(name):
                raise PermanentError(f"Cannot delete deployment {name} because it is receiving traffic")
            self._deployment_is(name, "Deleting")()
            self._wrote(
                call, DELETE, lambda: self.placed.__delitem__(name), self._deployment_is(name, "Failed")
            )

    def colleagues(self) -> None:
        """Someone scales the first deployment, if Azure lets them."""
        with suppress(TransientError):
            self._free()
            for name in [*self.placed][:1]:
                self.colleague(name, "Scaling")

    def _free(self) -> None:
        states = [self.endpoint_state, *(one.state for one in self.placed.values())]
        if self.now < self.busy_until or any(one and one.provisioning_state in BUSY for one in states):
            raise TransientError("409 Conflict: another operation is in progress", busy=True)

    def _endpoint_is(self, state: str) -> Callable[[], None]:
        def become() -> None:
            if self.endpoint_state:
                self.endpoint_state = replace(self.endpoint_state, provisioning_state=state)

        return become

    def _deployment_is(self, name: str, state: str) -> Callable[[], None]:
        def become() -> None:
            if name in self.placed:
                one = self.placed[name]
                one.state = replace(one.state, provisioning_state=state)

        return become

    def _wrote(
        self, call: "Call | None", seconds: float, done: Callable[[], None], failed: Callable[[], None]
    ) -> None:
        fails = call and (call.kind == "operation" or (self.failing and self.failing in call.name))
        self._later(seconds, failed if fails else done)
        if call:
            self.writes.append(call.name)
        self.must_hold()

    def must_hold(self) -> None:
        """The invariant: whole maps, on deployments that can serve, and somebody who answers."""
        state = self.endpoint_state
        if state is None:
            return
        for maps in (state.traffic, self.live):
            assert sum(maps.values()) in (0, 100), f"traffic sums to {sum(maps.values())}: {maps}"
        shared = {**state.traffic, **self.live, **state.mirror, **self.copied}
        shares = [
            name for name in shared if any(m.get(name) for m in (state.traffic, self.live, state.mirror))
        ]
        broken = [n for n in shares if n not in self.placed or not self.placed[n].able]
        assert not broken, f"traffic on {broken}, which cannot serve"
        assert sum(state.mirror.values()) <= 50
        assert not any(state.traffic.get(name) for name, share in state.mirror.items() if share)
        if self.answered:
            assert sum(self.live.values()) == 100, f"nobody answers any more: {self.live}"


class Call:
    """One call of Azure: counted, perhaps struck; used by `with` around its effect."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.kind = world, name, ""

    def __enter__(self) -> "Call":
        self.world.calls.append(self.name)
        trouble = self.world.trouble
        number = len(self.world.calls)
        if number == trouble.at:
            self.kind, trouble.struck = trouble.kind, self.name
        self.kind = trouble.more.get(number, self.kind)
        if self.kind == "refused":
            raise TransientError(f"{self.name}: 503")
        if self.kind == "throttled":
            raise TransientError(f"{self.name}: 429", retry_after=30.0)
        if self.kind == "forbidden":
            raise RefusedError(f"{self.name}: 403", status=403, answer="403")
        if self.kind == "conflict":
            self.world.busy_until = self.world.now + COLLEAGUE
        if self.kind == "scaling":
            self.world.colleagues()
        if self.kind == "twice":
            self.world.twice = True
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None and self.kind == "lost":
            raise TransientError(f"{self.name}: the answer was lost")
        if error is None and self.kind == "killed":
            raise KilledError


def serving(traffic: Mapping[str, int], **more: Any) -> World:
    """A world whose endpoint `net` has served with these deployments of versions 1, 2 … for an hour."""
    world = World(**more)
    for number, name in enumerate(traffic, start=1):
        model = f"{TOPIC}/models/net/versions/{number}"
        tags = {"mlevents.response": "earlier", "mlevents.model": f"net:{number}"}
        world.placed[name] = Placed(DeploymentState(name, "Succeeded", model, tags, created=f"-{number}"))
    world.endpoint_state = EndpointState(
        "net", "Succeeded", dict(traffic), auth_mode="Key", scoring_uri="https://score"
    )
    world.live = dict(traffic)
    world.advance(600.0)
    return world
