"""A new worker that answers one event: `python -m bench.cold_worker FOLDER`, the event on standard input.

Microsoft's worker library indexes the app and runs its function ModelRegistered. What is printed at the end
is the time of the answer, in seconds since 1970, and the peak of the process's memory in MB.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from sandbox.worker.worker import Worker
from sandbox.worker.worker_messages import TypedData

CLIENT = {
    "taskHubName": "mlevents",
    "rpcBaseUrl": "http://127.0.0.1:9/",
    "maxGrpcMessageSizeInBytes": 16_777_216,
    "grpcHttpClientTimeout": "00:00:30",
}
"""A task hub that nobody asks."""


async def answer(folder: Path, event: str) -> float:
    """Index the app and answer the event; gives the time of the answer, and raises what the app raises."""
    worker = Worker(folder)
    await worker.start()
    worker.durable_client = json.dumps(CLIENT)
    await worker.invoke("ModelRegistered", TypedData(json=event))
    return time.time()


if __name__ == "__main__":
    answered = asyncio.run(answer(Path(sys.argv[1]), sys.stdin.read()))
    print(answered, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
