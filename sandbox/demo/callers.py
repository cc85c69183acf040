"""Clients of an online endpoint, which send requests at a steady rate."""

import threading
import time
from types import TracebackType
from typing import Self

import requests

from sandbox.sandbox_process import Stage

PATIENCE = 10


class Callers:
    """Requests to one endpoint inside `with`, `rate` of them a second; `statuses` counts the answers."""

    def __init__(self, stage: Stage, endpoint: str, rate: float = 100.0) -> None:
        self.statuses: dict[int, int] = {}
        self._stage = stage
        self._endpoint = endpoint
        self._pause = 1 / rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._call, name=f"callers of {endpoint}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)

    def _call(self) -> None:
        url = f"{self._stage.ready['arm']}/inference/{self._endpoint}/score"
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self._stage.ready["ca"]
            session.headers["Authorization"] = f"Bearer {self._stage.endpoint_key(self._endpoint)}"
            turn = time.monotonic()
            while not self._ended.wait(max(0.0, turn - time.monotonic())):
                turn = max(turn + self._pause, time.monotonic() - 1)
                answer = session.post(url, json={"input_data": [[0.1, 0.2]]}, timeout=PATIENCE)
                self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
