"""The one place that makes the JSON text for the Durable extension.

Orchestrators and activities exchange JSON text, never objects: Durable Functions makes Python objects from
JSON objects that contain `__class__`, and someone else may write a tag with that name.
"""

import json
from typing import Any


def to_text(document: Any) -> str:
    """The document as JSON text that UTF-8 can encode.

    Python's JSON parser accepts half of a surrogate pair (`"\\ud800"`), which protobuf refuses to encode:
    each becomes U+FFFD, and two halves that meet become their character.
    """
    text = json.dumps(document, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
