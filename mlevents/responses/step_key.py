"""The key of a step, in the name or tags of what it starts: attempts find it, and no one can forge it."""

import hmac
import json

LENGTH = 20
"""Hexadecimal digits: 80 bits of the hash."""


def step_key(secret: str, response: str, step: str, reruns: int = 0) -> str:
    """A keyed hash (HMAC-SHA256) of a step of a response, in lower-case letters, digits and a dash.

    Whoever knows the response's id, which an event makes predictable, still cannot know the key without
    the app's secret. JSON keeps the parts apart, whatever is in them. Each rerun of the response by an
    operator has other keys, so that it finds nothing that an earlier attempt started.
    """
    text = json.dumps([response, step, reruns] if reruns else [response, step]).encode("ascii")
    return f"mlevents-{hmac.digest(secret.encode('utf-8', 'surrogatepass'), text, 'sha256').hex()[:LENGTH]}"
