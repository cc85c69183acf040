"""Versions of orchestrations, as host.json of the app that runs now asks for them.

What a client or an entity starts without a version gets `defaultVersion`; what an orchestration starts
without one has none. An instance whose version does not comply with `versionMatchStrategy` fails, or is
given back again and again (`versionFailureStrategy`). After TaskOrchestrationDispatcher and
VersioningSettings of DurableTask.Core.
"""

import re
from typing import Any, override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc

from sandbox.durable.message_visibility import MessageVisibility
from sandbox.pace import Pace
from sandbox.worker.host_settings import HostSettings

DOTNET = re.compile(r"\d+(?:\.\d+){1,3}")
"""What .NET's Version reads: `1.0`, but not `1`."""
MISMATCH = pb.TaskFailureDetails(
    errorType="VersionMismatch",
    errorMessage="Orchestration version did not comply with Worker Versioning",
    isNonRetriable=True,
)


class Versioning(MessageVisibility):
    """Gives instances their version; `settings` are those of the app that runs now."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace)
        self.settings = HostSettings()

    @override
    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance, with the default version if the client gives none."""
        self._fill_in(request)
        return super().StartInstance(request, context)

    @override
    def complete_entity(self, entity_id: str, result: pb.EntityBatchResult, context: Any) -> None:
        """Take the result of a batch; what it starts without a version gets the default one."""
        for action in result.actions:
            if action.HasField("startNewOrchestration"):
                self._fill_in(action.startNewOrchestration)
        super().complete_entity(entity_id, result, context)

    def _fill_in(self, start: pb.CreateInstanceRequest | pb.StartNewOrchestrationAction) -> None:
        if not start.HasField("version") and self.settings.default_version is not None:
            start.version.value = self.settings.default_version


def matches_version(version: str, settings: HostSettings) -> bool:
    """Whether an instance of this version (empty when it has none) runs with these settings."""
    match settings.version_match.casefold():
        case "none":
            return True
        case "strict":
            return version == (settings.default_version or "")
    return compare_versions(version, settings.default_version or "") <= 0


def compare_versions(one: str, other: str) -> int:
    """Below, at or above 0 as `one` is older, equal or newer: `10` is older than `9`, as text is compared."""
    if not one.strip() or not other.strip():
        return bool(one.strip()) - bool(other.strip())
    if DOTNET.fullmatch(one) and DOTNET.fullmatch(other):
        numbers, others = _numbers(one), _numbers(other)
        return (numbers > others) - (numbers < others)
    text, other_text = one.upper(), other.upper()
    return (text > other_text) - (text < other_text)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]
