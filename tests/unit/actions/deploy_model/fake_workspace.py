"""An Azure ML workspace of people's size, whose operations take two looks and one at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlevents.errors import PermanentError, TransientError
from mlevents.services.connection import Connection
from mlevents.services.machine_learning.batch_endpoints import Invocation
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.machine_learning.states import (
    KEY,
    DeploymentState,
    EndpointState,
    JobState,
    NewDeployment,
    NewEndpoint,
)

TOPIC = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
)
LOOKS = 2


@dataclass
class FakeEndpoints:
    """Online endpoints in memory; `fails` makes the next deployments end so, `trouble` breaks calls."""

    endpoints: dict[str, EndpointState] = field(default_factory=dict)
    placed: dict[str, dict[str, DeploymentState]] = field(default_factory=dict)
    fails: str = ""
    trouble: Callable[[str], str] = lambda _: ""
    writes: list[str] = field(default_factory=list)
    maps: list[dict[str, int]] = field(default_factory=list)
    _looks: dict[str, int] = field(default_factory=dict)

    def endpoint(self, name: str) -> EndpointState | None:
        state = self.endpoints.get(name)
        if state and state.provisioning_state in ("Creating", "Updating") and self._over(name):
            state = self.endpoints[name] = replace(state, provisioning_state="Succeeded")
        return state

    def names(self) -> tuple[str, ...]:
        return tuple(self.endpoints)

    def put_endpoint(self, wanted: NewEndpoint) -> bool:
        name = wanted.name
        made = EndpointState(
            name,
            "Creating",
            tags=dict(wanted.tags),
            auth_mode=wanted.auth_mode,
            scoring_uri=f"https://{name}/score",
        )
        self._write(f"endpoint {name}", lambda: self.endpoints.__setitem__(name, made))
        return True

    def set_traffic(
        self,
        name: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        check: Callable[[EndpointState], object] = lambda _: None,
    ) -> None:
        state = self.endpoints[name]
        check(state)
        if state.provisioning_state in ("Creating", "Updating"):
            raise TransientError("409 Conflict")
        broken = [d for d in traffic if self.placed[name][d].provisioning_state != "Succeeded"]
        assert not broken, f"traffic for {broken}, which cannot serve"
        assert sum(traffic.values()) in (0, 100)
        self.maps.append(dict(traffic))
        kept = state.mirror if mirror is None else dict(mirror)
        moved = replace(state, traffic=dict(traffic), mirror=kept, provisioning_state="Updating")
        self._write(f"traffic {dict(traffic)}", lambda: self.endpoints.__setitem__(name, moved))

    def deployments(self, endpoint: str) -> tuple[DeploymentState, ...]:
        return tuple(self.placed.get(endpoint, {}).values())

    def deployment(self, endpoint: str, name: str) -> DeploymentState | None:
        state = self.placed.get(endpoint, {}).get(name)
        if state and state.provisioning_state == "Creating" and self._over(f"{endpoint}/{name}"):
            state = replace(state, provisioning_state=self.fails or "Succeeded")
            self.placed[endpoint][name] = state
        return state

    def put_deployment(self, wanted: NewDeployment) -> None:
        made = DeploymentState(wanted.name, "Creating", wanted.model, dict(wanted.tags))
        there = self.placed.setdefault(wanted.endpoint, {})
        self._write(f"deployment {wanted.name}", lambda: there.__setitem__(wanted.name, made))

    def reason(self, state: EndpointState | DeploymentState) -> str:
        return "OutOfQuota: not enough cores"

    def _write(self, what: str, effect: Callable[[], None]) -> None:
        trouble = self.trouble(what)
        if trouble == "refused":
            raise TransientError(f"{what}: 503")
        self.writes.append(what)
        effect()
        if trouble == "lost":
            raise TransientError(f"{what}: the answer was lost")

    def _over(self, what: str) -> bool:
        self._looks[what] = self._looks.get(what, 0) + 1
        return self._looks[what] % LOOKS == 0


@dataclass
class FakeJobs:
    """Jobs in memory; each look takes a job one status further along `course`."""

    submitted: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    course: tuple[str, ...] = ("NotStarted", "Running", "Completed")
    looks: int = 0

    def job(self, name: str) -> JobState | None:
        if name not in self.submitted:
            return None
        self.looks += 1
        mark = (self.submitted[name].get("tags") or {}).get(KEY, "")
        return JobState(name, self.course[min(self.looks, len(self.course) - 1)], mark)

    def submit(self, name: str, document: Mapping[str, Any]) -> JobState:
        assert name not in self.submitted, f"job {name} is submitted twice"
        self.submitted[name] = document
        return JobState(name, self.course[0], document["tags"][KEY])

    def component(self, reference: str) -> str:
        if reference == "gone:1":
            raise PermanentError("reading component 'gone:1': Azure answered 404")
        return f"azureml:/components/{reference}"


@dataclass
class FakeBatch:
    """A batch endpoint that names its jobs itself."""

    jobs: FakeJobs
    asked: list[Invocation] = field(default_factory=list)

    def invoke(self, wanted: Invocation) -> JobState:
        self.asked.append(wanted)
        self.jobs.submitted.setdefault("batchjob-1", wanted.body())
        return JobState("batchjob-1", "NotStarted")


@dataclass
class FakeWorkspace(Any):
    """One workspace and its files, in the place of `Services` and of `MachineLearning`."""

    files: dict[str, str] = field(default_factory=lambda: {"small.yaml": "instance_type: Standard_DS3_v2\n"})
    endpoints: FakeEndpoints = field(default_factory=FakeEndpoints)
    jobs: FakeJobs = field(default_factory=FakeJobs)
    workspace: Workspace = field(default_factory=lambda: Workspace.parse(TOPIC))

    def __post_init__(self) -> None:
        self.batch = FakeBatch(self.jobs)

    def machine_learning(self, workspace_id: str) -> "FakeWorkspace":
        assert workspace_id == TOPIC
        return self

    def list_connections(self) -> Iterator[Connection]:
        yield from ()

    def read(self, name: str) -> str:
        if name not in self.files:
            raise PermanentError(f"the file '{name}' beside the rule file cannot be read")
        return self.files[name]
