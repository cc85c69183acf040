"""The app's own process: it runs functions as the host asks over standard input.

It ends when standard input does, so it never outlives the host, however that ended. What the app prints
goes to standard error: standard output belongs to the host.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from sandbox.worker.frames import (
    INVOKE,
    RAISED,
    REFUSED,
    RETURNED,
    START,
    STARTED,
    Frame,
    pack,
    read,
)
from sandbox.worker.function import FunctionError, WorkerError
from sandbox.worker.name_resolution import keep_on_this_machine
from sandbox.worker.shorter_waits import shorten_waits
from sandbox.worker.worker import Worker

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Answers:
    """Frames for the host, each in one piece."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    def send(self, *frame: object) -> None:
        self._pipe.write(pack(frame))
        self._pipe.flush()


def main(foreign: Iterable[str] = ()) -> None:
    """Serve until the host ends; `foreign` are paths that the app shall not import from."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the host, which ends this process
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for path in foreign:
        while path in sys.path:
            sys.path.remove(path)
    keep_on_this_machine()
    asyncio.run(_serve(requests, _Answers(answers)))


async def _serve(requests: BinaryIO, answers: _Answers) -> None:
    loop, frames = asyncio.get_running_loop(), asyncio.Queue[Frame]()

    def listen() -> None:
        while (frame := read(requests.read)) is not None:
            loop.call_soon_threadsafe(frames.put_nowait, frame)
        os._exit(0)

    threading.Thread(target=listen, name="host", daemon=True).start()
    worker = await _started(await frames.get(), answers)
    under_way = set[asyncio.Task[None]]()
    while True:
        task = asyncio.create_task(_invoke(worker, await frames.get(), answers))
        under_way.add(task)
        task.add_done_callback(under_way.discard)


async def _started(frame: Frame, answers: _Answers) -> Worker:
    kind, folder, script, level = frame
    assert kind == START
    logging.basicConfig(stream=sys.stderr, level=level, format=LOG_FORMAT)
    worker = Worker(Path(folder), script)
    try:
        await worker.start()
    except WorkerError as error:
        answers.send(REFUSED, str(error))
        sys.exit(1)
    shorten_waits()
    answers.send(STARTED, worker.functions)
    return worker


async def _invoke(worker: Worker, frame: Frame, answers: _Answers) -> None:
    kind, number, name, trigger, metadata, client = frame
    assert kind == INVOKE
    worker.durable_client = client
    try:
        answers.send(RETURNED, number, await worker.invoke(name, trigger, metadata))
    except FunctionError as error:
        answers.send(RAISED, number, str(error), error.stack)
