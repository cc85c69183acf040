"""Online endpoints with their deployments, in memory."""

import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.azure.errors import ArmError, conflict, not_found, user_error
from sandbox.azure.operations import Operation
from sandbox.azure.routes import Failure

NAME = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")
SHORTEST, LONGEST = 3, 32
KEPT_LINES = 1000
UNDER_WAY = frozenset({"Creating", "Updating", "Scaling", "Deleting"})


class Provisioned:
    """A resource of Resource Manager that is provisioned."""

    __slots__ = ()
    resource: dict[str, Any]

    @property
    def state(self) -> str:
        """The provisioning state."""
        return str(self.resource["properties"]["provisioningState"])

    @state.setter
    def state(self, state: str) -> None:
        self.resource["properties"]["provisioningState"] = state


@dataclass(slots=True)
class Deployment(Provisioned):
    """One deployment: its resource, and the model that serves in it once it has succeeded.

    An update leaves the old model serving until the new one is ready.
    """

    name: str
    resource: dict[str, Any]
    serving: str | None = None
    log: list[str] = field(default_factory=list)

    def succeed(self) -> None:
        """Its container runs, and the model is loaded."""
        self.state = "Succeeded"
        self.serving = str(self.resource["properties"].get("model") or "")
        self._start(f"model {self.serving} loaded, ready to serve")

    def fail(self, failure: Failure) -> None:
        """Its container did not come up."""
        self.state = "Failed"
        self._start(f"{failure.code}: {failure.message}")

    def write(self, text: str) -> None:
        """One more line in the container's log, which keeps the last ones."""
        self.log.append(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {text}")
        del self.log[:-KEPT_LINES]

    def _start(self, text: str) -> None:
        self.write("container started")
        self.write(text)


@dataclass(slots=True)
class Endpoint(Provisioned):
    """One endpoint. `traffic` and `mirror` route requests; they follow the resource."""

    name: str
    resource: dict[str, Any]
    principal: str = field(default_factory=lambda: str(uuid.uuid4()))
    deployments: dict[str, Deployment] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)
    mirror: dict[str, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=lambda: {"primaryKey": new_key(), "secondaryKey": new_key()})
    tokens: dict[str, float] = field(default_factory=dict)
    operation: Operation | None = None

    def find(self, name: str) -> Deployment | None:
        """The deployment of this name, without regard to case."""
        return self.deployments.get(name.lower())

    @property
    def kubernetes(self) -> bool:
        """Whether it runs on a Kubernetes cluster that is attached to the workspace."""
        return bool(self.resource["properties"].get("compute"))

    def check_free(self, wish: str) -> None:
        """Refuse while an operation is under way on the endpoint or one of its deployments."""
        if self.state in UNDER_WAY:
            raise conflict(f"Cannot {wish} because it is in {self.state} provisioning state.")
        busy = next((one for one in self.deployments.values() if one.state in UNDER_WAY), None)
        if busy:
            raise conflict(
                f"Cannot {wish} because deployment {busy.name} is in {busy.state} provisioning state."
            )
        if self.operation and self.operation.ended is None:
            raise conflict(f"Cannot {wish} because another operation is in progress on it.")

    def check_ready(self, wish: str) -> None:
        """Refuse on an endpoint whose last operation failed."""
        if self.state != "Succeeded":
            raise user_error(f"Cannot {wish} because it is in {self.state} provisioning state.")

    def restore_names(self, shares: dict[str, int]) -> dict[str, int]:
        """The shares under the deployments' names as they were created."""
        return {(found.name if (found := self.find(name)) else name): share for name, share in shares.items()}


class Endpoints:
    """The endpoints of the workspace."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}

    def all(self) -> list[Endpoint]:
        """Every endpoint, oldest first."""
        return list(self._endpoints.values())

    def find(self, name: str) -> Endpoint | None:
        """The endpoint of this name, without regard to case."""
        return self._endpoints.get(name.lower())

    def get(self, name: str, path: str) -> Endpoint:
        """The endpoint of this name; raises ArmError 404."""
        endpoint = self.find(name)
        if endpoint is None:
            raise not_found(path)
        return endpoint

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint."""
        self._endpoints[endpoint.name.lower()] = endpoint

    def remove(self, endpoint: Endpoint) -> None:
        """Remove an endpoint with its deployments."""
        self._endpoints.pop(endpoint.name.lower(), None)


def new_key() -> str:
    """A key for an endpoint."""
    return secrets.token_urlsafe(24)


def check_name(kind: str, name: str) -> None:
    """Refuse an invalid name of an endpoint or deployment."""
    if not (SHORTEST <= len(name) <= LONGEST and NAME.fullmatch(name)):
        raise user_error(
            f"The {kind} name '{name}' is invalid: it must have {SHORTEST} to {LONGEST} characters, start "
            "with a letter, end with a letter or digit, and hold letters, digits and single dashes alone."
        )


def check_location(body: dict[str, Any], known: dict[str, Any] | None, location: str) -> None:
    """Refuse another region than the workspace's, and a move to another region."""
    wanted = body["location"].replace(" ", "").lower()
    if known and wanted != location:
        name = known["name"]
        text = f"The resource '{name}' exists in location '{location}', and cannot be created in '{wanted}'."
        raise ArmError(409, "InvalidResourceLocation", text)
    if wanted != location:
        raise user_error(f"The location '{wanted}' is not the workspace's, which is '{location}'.")
