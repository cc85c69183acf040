"""Parameters that only an event fills in, and their findings before there is an event."""

from mlevents.services.finding import Finding


def is_unresolved(text: str) -> bool:
    """Whether the text holds a `${…}`, so that its value is not known yet."""
    return "${" in text


def report_unresolved(about: str, text: str) -> Finding:
    """The finding that it was not checked, with the reason."""
    return Finding(about, None, f"'{text}' is filled in from each event, so it was not checked")
