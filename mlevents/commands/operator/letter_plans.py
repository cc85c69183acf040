"""What the delivery of a dead letter would lead to: as the app says, or as the rule file here says."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlevents.commands.command import EXIT_PROBLEMS, exit_with_error, load_rules_or_exit, read_settings
from mlevents.commands.operator.letter_replay import Plan
from mlevents.commands.operator.replay_report import ReplayReport
from mlevents.events.dead_letter import DeadLetter
from mlevents.responses.delivery_plan import plan_delivery
from mlevents.services.app_client import AppClient, AppRefusedError, NoAnswerError


class AppPlans:
    """Asks the app's API what a delivery would lead to, until it does not know."""

    def __init__(self, app: AppClient, report: ReplayReport) -> None:
        self._app, self._report = app, report
        self._answers = True

    def __call__(self, letter: DeadLetter) -> Plan | None:
        if not self._answers:
            return None
        try:
            return self._app.request("POST", "plan", {"event": dict(letter.event)})
        except (AppRefusedError, NoAnswerError) as error:
            why = str(error) if isinstance(error, AppRefusedError) else "it did not answer"
            if self._report.dry_run:
                exit_with_error(f"the app's API cannot explain: {why}", EXIT_PROBLEMS)
            self._answers = False
            self._report.notes.append(f"The app's API does not say what deliveries lead to: {why}")
            return None


class LocalPlans:
    """Plans by the rule file on this machine; which responses exist is not known. Exits if it is broken."""

    def __init__(self, rules: Path, env: str) -> None:
        self._rules, self._settings = load_rules_or_exit(rules, env), read_settings(rules, env)

    def __call__(self, letter: DeadLetter) -> Plan:
        text = json.dumps(letter.event, ensure_ascii=False)
        planned = plan_delivery(text, self._rules, self._settings, datetime.now(UTC))
        found: dict[str, Any] = json.loads(json.dumps(asdict(planned)))
        return found
