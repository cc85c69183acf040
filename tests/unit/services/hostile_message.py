"""Messages whose values try to be markup, mentions or links, for each channel."""

from hypothesis import strategies as st

from mlevents.services.connection import Message
from mlevents.services.message_text import one_line

LINK = "https://ml.azure.com/runs/r1?wsid=/subscriptions/0"
VALUES = [
    "<at>Someone</at>",
    "<!channel>",
    "<https://evil.example|x>",
    "@here",
    "[x](http://evil.example)",
    "![x](https://evil.example/p.png)",
    "<script>alert(1)</script>",
    "</pre><img src=x onerror=alert(1)>",
    '"><a href="https://evil.example">x</a>',
    "https://evil.example/a",
    "https://ml.azure.com.evil.example/",
    "https://ml.azure.com/runs/other",
    "javascript:alert(1)",
    "Studio: https://evil.example/a",
    "x\nStudio: https://evil.example/a",
    "x\r\n    code",
    "\u202egnp.exe",
    "{{DATE(2026-01-05T09:00:00Z, SHORT)}}",
    "${title}",
    "{{ 7 * 7 }}",
    "1. item",
    "# head",
    "**bold** _it_ ~~s~~ `code` :smile:",
    "x" * 100_000,
    "😀" * 3_000,
    "<" * 9_000,
]
values = st.lists(st.sampled_from(VALUES) | st.text(max_size=30), min_size=1, max_size=3).map(" ".join)


def hostile_message(value: str) -> Message:
    """A message of a template: a value in each place, and one link that is the template's own."""
    line = one_line(value) or "x"
    facts = f"Run:    {line}\nCauses: 1\n        {line}\nStudio: {LINK}"
    text = f"Of {line}:\n\n{facts}\n\n    {line}\n\nRule {line}"
    return Message(one_line(f"Run {line}", 200), text[:20_000], "k", (LINK,))
