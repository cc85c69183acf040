"""Entity operations whose dispatch failed, as the Durable extension reports them to the caller.

When the worker dies inside an operation, or the entity's function cannot be invoked, the extension
writes no state and answers each call in the older protocol: an event named by the request, whose
`result` is plain text although the caller reads it as JSON. durabletask 1.12 then ends the calling
orchestration as Failed with JSONDecodeError. After OutOfProcMiddleware.CallEntityAsync of the extension
and TaskEntityDispatcher of DurableTask.Core.
"""

import json
from collections.abc import Iterable

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers

from sandbox.durable.clock import DurableClock
from sandbox.worker.function import FunctionError


class EntityFailures(DurableClock):
    """Answers the callers of a batch of operations that was not executed."""

    def fail_entity_calls(self, calls: Iterable[pb.OperationInfo], error: FunctionError) -> None:
        """Report the failed dispatch to each caller; a signal has none."""
        answer = _answer(error)
        with self._lock:
            for call in calls:
                event = helpers.new_event_raised_event(call.requestId, answer)
                self._deliver(call.responseDestination.instanceId, event)


def _answer(error: FunctionError) -> str:
    details = {
        "ErrorType": error.kind,
        "ErrorMessage": error.text,
        "StackTrace": None,
        "InnerFailure": None,
        "IsNonRetriable": True,
    }
    return json.dumps(
        {"result": error.text, "exceptionType": "entity dispatch failed", "failureDetails": details}
    )
