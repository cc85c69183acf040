"""Kills and starts the app of a running sandbox from outside."""

from pathlib import Path
from typing import Any

import requests

from sandbox.event_grid.event_factory import Json


class HostClient:
    """Asks the sandbox whose ready file is `ready`; see `sandbox/host/host_control.py`."""

    ready: Json

    def host(self) -> Json:
        """The state of the Functions host: `state`, `pid` of the app, `checkout`, `functions`, `error`."""
        found: Json = requests.get(self.ready["host"], timeout=30).json()
        return found

    def kill(self, **how: Any) -> Json:
        """Kill the app; `worker=True` kills the worker alone, `at="ACTIVITY x"` waits for that activity."""
        return self._control("kill", how)

    def start(self, checkout: Path | None = None) -> Json:
        """Start the app again, from another folder if one is given."""
        return self._control("start", {} if checkout is None else {"checkout": str(checkout)})

    def _control(self, verb: str, how: Json) -> Json:
        answer = requests.post(f"{self.ready['host']}/{verb}", json=how, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"the host refuses to {verb}: {answer.text}")
        found: Json = answer.json()
        return found
