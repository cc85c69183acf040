"""Why nobody is signed in: azure-identity tells of each way that it tried; most were never set up."""

import re

_WAY = re.compile(r"^\s*(\w+Credential): (.+)$", re.MULTILINE)
_NOT_SET_UP = re.compile(
    r"unavailable|not found|could not be found|not installed|No accounts|requires the|not fully configured"
)


def describe_sign_in(text: str) -> str:
    """One line: the ways to sign in that are set up and failed; empty for any other error."""
    if "Attempted credentials:" not in text:
        return ""
    failed = [f"{name}: {said}" for name, said in _WAY.findall(text) if not _NOT_SET_UP.search(said)]
    if not failed:
        return "no way to sign in is set up here"
    return f"the sign-in failed: {'; '.join(failed)}"
