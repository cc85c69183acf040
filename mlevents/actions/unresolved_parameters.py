"""Parameters that only an event fills in, and what is said of them before there is one."""

from mlevents.services.finding import Finding


def is_open(text: str) -> bool:
    """Whether the text holds a `${…}`, so that nobody knows yet what it will be."""
    return "${" in text


def left_open(about: str, text: str) -> Finding:
    """That it was not checked, and why."""
    return Finding(about, None, f"'{text}' is filled in from each event, so it was not checked")
