"""What the host and the app's process say to each other: frames of a length and a pickled value.

The pipes are private to the two processes, which run the same code as the same user.
"""

import pickle
from collections.abc import Callable
from typing import Any

HEAD = 4
type Frame = tuple[Any, ...]

START, INVOKE = "start", "invoke"
"""Of the host: `(START, folder, script, level of logging)`,
`(INVOKE, number, function, trigger, metadata, client)`."""
STARTED, REFUSED, RETURNED, RAISED = "started", "refused", "returned", "raised"
"""Of the app: `(STARTED, functions)`, `(REFUSED, message)`, `(RETURNED, number, value)`,
`(RAISED, number, message, stack)`."""


def pack(frame: Frame) -> bytes:
    """A frame as bytes."""
    body = pickle.dumps(frame, protocol=pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(HEAD) + body


def length(head: bytes) -> int:
    """How many bytes follow these first HEAD bytes."""
    return int.from_bytes(head)


def unpack(body: bytes) -> Frame:
    """The frame that these bytes hold."""
    frame: Frame = pickle.loads(body)
    return frame


def read(take: Callable[[int], bytes]) -> Frame | None:
    """The next frame of a blocking stream; None when the other side has ended."""
    head = take(HEAD)
    if len(head) < HEAD:
        return None
    body = take(length(head))
    return unpack(body) if len(body) == length(head) else None
