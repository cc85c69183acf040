"""A function app in Microsoft's worker library, in this process: indexed, loaded and invoked.

`azure-functions-runtime` is what the Python 3.13 worker itself delegates to. It keeps the app in
module globals: apps in one process need scripts and functions of different names.
"""

import json
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from sandbox.worker.function import SCRIPT_SETTING, Function, FunctionError, WorkerError
from sandbox.worker.worker_messages import (
    PROTOCOL,
    Message,
    ParameterBinding,
    StatusResult,
    TypedData,
)


class Worker:
    """The app in `folder`; `durable_client` is what its durable client bindings receive."""

    def __init__(self, folder: Path, script: str = "function_app.py") -> None:
        self.folder = folder.resolve()
        self.script = script
        self.durable_client = ""
        self.functions: dict[str, Function] = {}

    async def start(self) -> None:
        """Index and load the app; raises WorkerError when the host would refuse it."""
        if not (self.folder / self.script).is_file():
            raise WorkerError(f"'{self.folder / self.script}' is missing: a function app begins there")
        if str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))
        os.environ.setdefault("AzureWebJobsScriptRoot", str(self.folder))
        os.environ[SCRIPT_SETTING] = self.script
        sys.modules.pop(Path(self.script).stem, None)  # an app object can be indexed only once
        if runtime.get_threadpool_executor() is None:
            runtime.start_threadpool_executor()
        init = Message(capabilities={}, function_app_directory=str(self.folder))
        properties = {"host": "127.0.0.1", "protos": PROTOCOL}
        _check(await runtime.worker_init_request(_request("worker_init_request", init, properties)))
        answer = await runtime.functions_metadata_request(None)
        _check(answer)
        for metadata in answer.function_metadata_results or []:
            load = Message(function_id=metadata.function_id, metadata=metadata)
            _check(await runtime.function_load_request(_request("function_load_request", load)))
            bindings = tuple(map(json.loads, metadata.raw_bindings))
            self.functions[metadata.name] = Function(metadata.name, metadata.function_id, bindings)

    def triggered_by(self, kind: str) -> dict[str, Function]:
        """The functions that a trigger of this kind wakes, such as `httpTrigger`, by name."""
        return {name: one for name, one in self.functions.items() if one.trigger["type"] == kind}

    async def invoke(
        self, name: str, trigger: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> TypedData | None:
        """Run the function and give what it returns; raises FunctionError for what it raises."""
        function = self.functions[name]
        client = TypedData(string=self.durable_client)
        data = [ParameterBinding(name=function.trigger["name"], data=trigger)]
        data += [ParameterBinding(name=parameter, data=client) for parameter in function.clients]
        invocation = Message(
            invocation_id=str(uuid.uuid4()),
            function_id=function.id,
            input_data=data,
            trigger_metadata=dict(metadata or {}),
            trace_context=Message(trace_parent="", trace_state="", attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0, exception=Message()),
        )
        answer = await runtime.invocation_request(_request("invocation_request", invocation))
        if answer.result.status != StatusResult.Success:
            raise FunctionError(answer.result.exception.message, answer.result.exception.stack_trace)
        returned: TypedData | None = answer.return_value
        return returned


def _request(kind: str, content: Message, properties: Mapping[str, Any] | None = None) -> SimpleNamespace:
    return SimpleNamespace(request=Message(**{kind: content}), properties=properties or {})


def _check(answer: Any) -> None:
    if answer.result.status != StatusResult.Success:
        failure = answer.result.exception
        raise WorkerError(f"{failure.message}\n{failure.stack_trace}")
