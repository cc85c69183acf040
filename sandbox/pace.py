"""The sandbox's sense of time: every wait of Azure's, divided by one speed."""

import asyncio
import time
from datetime import UTC, datetime


class Pace:
    """How fast time passes here; a speed of 60 makes Azure's minute a second."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"the speed is {speed}: give a number above 0")
        self.speed = speed

    def seconds(self, azure: float) -> float:
        """The seconds that pass here while Azure would take so many."""
        return azure / self.speed

    async def sleep(self, azure: float) -> None:
        """Wait as long as Azure would, divided by the speed."""
        await asyncio.sleep(self.seconds(azure))

    def elapsed(self) -> float:
        """A clock in Azure's seconds, which runs as many times as fast."""
        return time.monotonic() * self.speed

    def now(self) -> datetime:
        """The time of day in UTC, which no speed changes."""
        return datetime.now(UTC)
