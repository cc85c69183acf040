"""Long-running operations: accepted now, done after the time that Azure takes."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.azure.errors import not_found
from sandbox.azure.routes import Call, Failure, Routes
from sandbox.pace import Pace

PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}"
STATUSES, RESULTS = "mfeOperationsStatus", "mfeOperationResults"
POLL_AFTER = 10


@dataclass(frozen=True, slots=True)
class Work:
    """What an operation does: it takes `seconds` of Azure's time, then calls `done`, or `failed`.

    `kind` is the prefix of the operation's id, which tells what it is about.
    """

    kind: str
    seconds: float
    done: Callable[[], None]
    failed: Callable[[Failure], None] = lambda _: None


@dataclass(slots=True)
class Operation:
    """One operation, under way until `ended` is set."""

    id: str
    started: datetime
    ended: datetime | None = None
    failure: Failure | None = None

    @property
    def status(self) -> str:
        """InProgress, Succeeded or Failed."""
        if self.ended is None:
            return "InProgress"
        return "Failed" if self.failure else "Succeeded"


class Operations:
    """Every operation of the subscription, and the tasks that carry them out."""

    def __init__(self, pace: Pace, scope: str) -> None:
        self._pace = pace
        self._scope = scope
        self._operations: dict[str, Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Work, failure: Failure | None = None) -> Operation:
        """Start an operation; it ends in `failure` if one is given."""
        operation = Operation(f"{work.kind}:{uuid.uuid4()}:{uuid.uuid4()}", self._pace.now())
        self._operations[operation.id] = operation
        self.start_task(self._carry_out(operation, work, failure))
        return operation

    def start_task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background, until it ends or the server stops."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel every task."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def register(self, routes: Routes) -> None:
        """Serve the state of operations at the subscription."""
        routes.add("GET", f"{PROVIDER}/{STATUSES}/{{operation}}", self._status)
        routes.add("GET", f"{PROVIDER}/{RESULTS}/{{operation}}", self._result)

    def status_url(self, call: Call, operation: Operation) -> str:
        """Where the operation's status is read."""
        return self._url(call, STATUSES, operation)

    def answer_accepted(self, call: Call, operation: Operation, body: Any, created: bool) -> web.Response:
        """The answer to a PUT: the resource as it is becoming, and where to look."""
        headers = {
            "Azure-AsyncOperation": self.status_url(call, operation),
            "x-ms-async-operation-timeout": "PT1H",
            "Retry-After": self._retry_after(),
        }
        return web.json_response(body, status=201 if created else 200, headers=headers)

    def answer_location(self, call: Call, operation: Operation) -> web.Response:
        """The answer to DELETE, PATCH and actions: nothing yet, and where the result will be."""
        headers = {
            "Location": self._url(call, RESULTS, operation),
            "x-ms-async-operation-timeout": "PT1H",
            "Retry-After": self._retry_after(),
        }
        return web.Response(status=202, headers=headers)

    async def _carry_out(self, operation: Operation, work: Work, failure: Failure | None) -> None:
        await self._pace.sleep(work.seconds)
        operation.failure = failure
        if failure:
            work.failed(failure)
        else:
            work.done()
        operation.ended = self._pace.now()

    async def _status(self, call: Call) -> web.Response:
        operation = self._find(call)
        body: dict[str, Any] = {"status": operation.status, "startTime": operation.started.isoformat()}
        if operation.ended is None:
            return web.json_response(body, headers={"Retry-After": self._retry_after()})
        body["endTime"] = operation.ended.isoformat()
        if operation.failure:
            body["error"] = {
                "code": operation.failure.code,
                "message": operation.failure.message,
                "details": [],
            }
        return web.json_response(body)

    async def _result(self, call: Call) -> web.Response:
        operation = self._find(call)
        if operation.ended is None:
            return self.answer_location(call, operation)
        if operation.failure:
            error = {"code": operation.failure.code, "message": operation.failure.message}
            return web.json_response({"error": error}, status=400)
        return web.Response(status=204)

    def _find(self, call: Call) -> Operation:
        wanted = call.names["operation"]
        if wanted not in self._operations:
            raise not_found(call.request.path)
        return self._operations[wanted]

    def _url(self, call: Call, collection: str, operation: Operation) -> str:
        location = "providers/Microsoft.MachineLearningServices/locations/westeurope"
        subscription = call.names.get("subscription")
        scope = f"/subscriptions/{subscription}" if subscription else self._scope
        path = f"{scope}/{location}/{collection}/{operation.id}"
        return f"{call.origin}{path}?api-version={call.version}"

    def _retry_after(self) -> str:
        return str(max(1, round(self._pace.seconds(POLL_AFTER))))
