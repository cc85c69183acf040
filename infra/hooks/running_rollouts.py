"""Before new code replaces the old: name the rollouts that run, so that a person may rather wait."""

from collections.abc import Mapping

from infra.hooks.programs import az, mlevents, needed, say

SOME = 1
"""The exit code of `mlevents rollouts` when one runs."""


def name_rollouts(environment: Mapping[str, str]) -> None:
    """Print the rollouts that run now; they go on with the new code, so nothing stops here.

    An app that cannot answer stops nothing either: the release may be what repairs it.
    """
    app = needed(environment, "AZURE_FUNCTION_APP_NAME")
    place = ("--name", app, "--resource-group", needed(environment, "AZURE_RESOURCE_GROUP"))
    if not az("functionapp", "function", "list", *place):
        return  # the first release
    keys = az("functionapp", "keys", "list", *place) or {}
    known = {**environment, "MLEVENTS_APP_KEY": (keys.get("functionKeys") or {}).get("default") or ""}
    done = mlevents("rollouts", "--url", needed(environment, "MLEVENTS_URL"), environment=known)
    if done.returncode == SOME:
        say("mlevents: these rollouts continue with the new code; stop now to wait until they end")
    elif done.returncode != 0:
        say("mlevents: the app did not list its running rollouts (see above); the release continues")
