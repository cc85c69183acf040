"""The app in a process of its own, as the Functions host starts, asks and loses it."""

import asyncio
import itertools
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.worker.frames import (
    HEAD,
    INVOKE,
    RAISED,
    REFUSED,
    RETURNED,
    START,
    Frame,
    length,
    pack,
    unpack,
)
from sandbox.worker.function import Function, FunctionError, WorkerError, WorkerLostError
from sandbox.worker.worker_messages import TypedData

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ["", *([str(ROOT)] if (ROOT / "pyproject.toml").is_file() else [])]
"""What the app shall not import from: a checkout. An installed sandbox is where the app's packages are."""
PROGRAM = (
    f"import sys; sys.path[:0] = {FOREIGN[1:]!r}; from sandbox.worker.worker_main import main; "
    f"main({FOREIGN!r})"
)
PATIENCE = 2.0
log = logging.getLogger(__name__)


async def spawn(_: Path, /, environment: Mapping[str, str]) -> Process:
    """A new process for the app in a folder, which waits for the frame that starts it."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdin=PIPE, stdout=PIPE, env=dict(environment)
    )


class WorkerProcess:
    """The app in `folder`; `durable_client` is what its durable client bindings receive.

    `environment` is the app's; without one it is that of this process. `lost` is called when the
    process ends and nobody asked it to.
    """

    def __init__(self, folder: Path, script: str = "function_app.py") -> None:
        self.folder = folder.resolve()
        self.script = script
        self.environment: Mapping[str, str] | None = None
        self.durable_client = ""
        self.functions: dict[str, Function] = {}
        self.lost: Callable[[], None] = lambda: None
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._calls: dict[int, asyncio.Future[TypedData | None]] = {}
        self._numbers = itertools.count()

    @property
    def pid(self) -> int | None:
        """The process's id while there is one."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the process, which indexes and loads the app; raises WorkerError."""
        self._process = process = await spawn(self.folder, self.environment or os.environ)
        self._send(START, str(self.folder), self.script, logging.getLogger().getEffectiveLevel())
        kind, content = await _next(process) or (REFUSED, "the app's process ended while it started")
        if kind == REFUSED:
            await self.stop()
            raise WorkerError(content)
        self.functions = content
        self._watch = asyncio.create_task(self._listen(process))
        self._ready.set()

    async def stop(self) -> None:
        """Let the process end, and wait for that."""
        await self._end(_hang_up)

    async def kill(self) -> None:
        """End the process by SIGKILL, as a crash of the machine does."""
        await self._end(lambda process: process.kill())

    async def crash(self) -> None:
        """End the process by SIGKILL, and let the host find out by itself."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()

    def triggered_by(self, kind: str) -> dict[str, Function]:
        """The functions that a trigger of this kind wakes, such as `httpTrigger`, by name."""
        return {name: one for name, one in self.functions.items() if one.trigger["type"] == kind}

    async def invoke(
        self, name: str, trigger: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> TypedData | None:
        """Run the function and give what it returns, once the process is ready.

        Raises FunctionError for what the function raises, and WorkerLostError when the process ends.
        """
        await self._ready.wait()
        if self._process is None:
            raise WorkerLostError("WorkerProcessExitException: the worker process has ended")
        number = next(self._numbers)
        answer: asyncio.Future[TypedData | None] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        self._send(INVOKE, number, name, trigger, metadata, self.durable_client)
        try:
            return await answer
        finally:
            self._calls.pop(number, None)

    def _send(self, *frame: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(pack(frame))

    async def _listen(self, process: Process) -> None:
        while (frame := await _next(process)) is not None:
            self._answer(frame)
        await process.wait()
        self._forget(f"the worker process exited with code {process.returncode}")
        if self._process is process:
            self._process = None
            log.warning("the app's process %s ended with exit code %s", process.pid, process.returncode)
            self.lost()

    def _answer(self, frame: Frame) -> None:
        kind, number, *content = frame
        call = self._calls.get(number)
        if call is None or call.done():
            return
        if kind == RETURNED:
            call.set_result(content[0])
        elif kind == RAISED:
            call.set_exception(FunctionError(*content))

    def _forget(self, reason: str) -> None:
        self._ready.clear()
        for call in self._calls.values():
            if not call.done():
                call.set_exception(WorkerLostError(f"WorkerProcessExitException: {reason}"))

    async def _end(self, how: Callable[[Process], None]) -> None:
        process, self._process = self._process, None
        if process is not None:
            how(process)
            await _ended(process)
            if self._watch is not None:
                await self._watch
        self._ready.set()  # who still waits learns that there is no process


async def _ended(process: Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()


def _hang_up(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()


async def _next(process: Process) -> Frame | None:
    assert process.stdout is not None
    try:
        head = await process.stdout.readexactly(HEAD)
        return unpack(await process.stdout.readexactly(length(head)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
