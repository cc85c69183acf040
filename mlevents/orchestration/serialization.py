"""The one place where JSON text is made that goes through the Durable extension.

What goes between orchestrators and activities is JSON text, never an object: Durable Functions makes
Python objects of JSON objects that hold `__class__`, and a tag of that name comes from someone else.
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
