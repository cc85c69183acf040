"""How this process waits within an attempt, in one place: who measures waits can replace it."""

import time
from collections.abc import Callable

wait: Callable[[float], None] = time.sleep
"""Waits for this many seconds."""
