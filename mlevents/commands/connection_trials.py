"""`doctor --send-test`: test messages, sent from here or by the app that is named."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from mlevents.commands.command import exit_with_error, load_rules_or_exit, read_settings
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.doctor.azure_checks import PartFinding
from mlevents.doctor.connection_trial import ConnectionTrial
from mlevents.errors import ConfigError
from mlevents.services.finding import Finding

_SENDER = "mlevents doctor --send-test"


def send_tests(names: Sequence[str], target: AppOptions, rules: Path, env: str) -> Iterator[PartFinding]:
    """What came of each message; exits where nothing can be sent. Without a target, it is sent from here."""
    if not names:
        exit_with_error("--app and --url are for --send-test: add --send-test CONNECTION")
    if target.url or target.app:
        return _send_from_app(target, names)
    trial = ConnectionTrial(
        load_rules_or_exit(rules, env), read_settings(rules, env), _SENDER, datetime.now(UTC)
    )
    try:
        for name in names:
            trial.find_type(name)
    except ConfigError as error:
        exit_with_error(str(error))
    return map(trial.send, dict.fromkeys(names))


def _send_from_app(target: AppOptions, names: Sequence[str]) -> Iterator[PartFinding]:
    with exit_when_refused():
        app = target.open()
        for name in dict.fromkeys(names):
            found = app.request("POST", f"connections/{quote(name, safe='')}/test", {})
            part = found.pop("part")
            yield PartFinding(part, Finding(**found))
