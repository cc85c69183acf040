"""What the host writes to the logs: nothing of Azure's SDKs, everything of ours and every error."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEVELS = ["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]


def written(category: str, level: str) -> bool:
    """Whether the host writes it: the longest matching category decides, `*` stands for any text.

    As Microsoft.Extensions.Logging chooses a rule (LoggerRuleSelector); without case.
    """
    rules = json.loads((ROOT / "host.json").read_text())["logging"]["logLevel"]
    fitting = [rule for rule in rules if rule != "default" and fits(rule.lower(), category.lower())]
    chosen = rules[max(fitting, key=len, default="default")]
    return LEVELS.index(level) >= LEVELS.index(chosen) and chosen != "None"


def fits(rule: str, category: str) -> bool:
    head, star, tail = rule.partition("*")
    return category.startswith(head) and (not star or category.endswith(tail))


@pytest.mark.parametrize(
    ("category", "level"),
    [
        ("Azure.Core", "Information"),
        ("Azure.Core", "Warning"),
        ("Azure.Identity", "Information"),
        ("DurableTask.AzureStorage", "Information"),
        ("DurableTask.Core", "Information"),
        ("Host.Triggers.DurableTask", "Information"),
        ("Function.ModelRegistered", "Information"),
        ("Host.Aggregator", "Information"),
        ("Host.Results", "Information"),
        ("Microsoft.AspNetCore.Hosting.Diagnostics", "Information"),
    ],
)
def test_what_is_many_lines_for_each_event_is_silent(category: str, level: str) -> None:
    assert not written(category, level)


@pytest.mark.parametrize(
    ("category", "level"),
    [
        ("Function.ModelRegistered.User", "Information"),
        ("Function.PerformStep.User", "Warning"),
        ("Function.ModelRegistered", "Error"),
        ("Host.Triggers.DurableTask", "Warning"),
        ("DurableTask.AzureStorage", "Error"),
        ("Host.Startup", "Error"),
        ("Azure.Identity", "Error"),
    ],
)
def test_our_own_lines_and_every_error_are_written(category: str, level: str) -> None:
    assert written(category, level)
