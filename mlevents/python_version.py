"""Refuses a Python that the app was not built for, before anything else is imported.

Whatever Python starts the app reads this, so it uses nothing that an old one does not know.
"""

import sys

REQUIRED_VERSION = (3, 13)


def check_python(found: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Raise RuntimeError when this Python is older than the app's; otherwise do nothing."""
    if found[:2] < REQUIRED_VERSION:
        raise RuntimeError(
            f"mlevents runs on Python {found[0]}.{found[1]}, "
            f"but needs {REQUIRED_VERSION[0]}.{REQUIRED_VERSION[1]} or later: "
            "set the runtime version of the Function App, and deploy the package that "
            "`python -m infra.hooks prepackage` builds, without a remote build"
        )
