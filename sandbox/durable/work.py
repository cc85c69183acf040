"""What the Durable extension knows of functions and of their results."""

import durabletask.internal.orchestrator_service_pb2 as pb

from sandbox.durable.hub import FINISHED
from sandbox.worker.function import Function, FunctionError
from sandbox.worker.worker_process import WorkerProcess


class HostCall:
    """Replaces the gRPC context when the host itself calls the hub; `active` until the host ends."""

    active = True

    def is_active(self) -> bool:
        """Whether the host takes work."""
        return self.active

    def abort(self, code: object, details: str) -> None:
        """The hub refuses: raises RuntimeError."""
        raise RuntimeError(f"{code}: {details}")


def functions_by_name(worker: WorkerProcess, kind: str) -> dict[str, str]:
    """The functions of one kind, by the name that durable work calls them, in lower case."""
    setting = "entityName" if kind == "entity" else kind

    def called(function: Function) -> str:
        return str(function.trigger.get(setting) or function.name).casefold()

    return {called(one): one.name for one in worker.triggered_by(f"{kind}Trigger").values()}


def find_function(known: dict[str, str], name: str, kind: str) -> str:
    """The function of this name; raises FunctionError as the extension reports a missing one."""
    if name.casefold() in known:
        return known[name.casefold()]
    raise FunctionError(
        f"InvalidOperationException: The function '{name}' doesn't exist, is disabled, or is not "
        f"an {kind} function: the app has {', '.join(sorted(known.values())) or 'none'}"
    )


def is_last_turn(response: pb.OrchestratorResponse) -> bool:
    """Whether the instance ends with this turn."""
    return any(
        action.completeOrchestration.orchestrationStatus in FINISHED
        for action in response.actions
        if action.HasField("completeOrchestration")
    )


def failure_details(error: FunctionError) -> pb.TaskFailureDetails:
    """A function's exception as the extension reports it: type, and the first line of the message."""
    first = error.text.split("\n", 1)[0].rstrip()
    details = pb.TaskFailureDetails(errorType=error.kind, errorMessage=first or error.kind)
    details.stackTrace.value = error.stack
    return details
