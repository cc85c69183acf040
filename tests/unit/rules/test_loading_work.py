"""What loading costs, counted in calls: a time would be another one on each machine."""

from pathlib import Path

from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings
from tests.unit.call_count import count_python_calls

MOST_CALLS = 800
"""The calls of Python functions that one more rule may cost; 652 when this was written."""
HEAD = "version: 1\nconnections: {team: {type: apprise, url: {setting: TEAM}}}\nrules:\n"
RULE = """\
  - id: r{0}
    event: model.registered
    where: {{model: {{name: model-{0}, tags: {{stage: prod, accuracy: {{gte: 0.{0}}}}}}}}}
    do: [{{uses: notify, with: {{to: team, subject: "${{model.name}}", text: registered}}}}]
"""


def count_calls(rules: int) -> int:
    """The calls of Python functions while so many rules are loaded."""
    text = HEAD + "".join(RULE.format(number) for number in range(rules))
    settings = Settings(environment={"TEAM": "json://localhost"})
    return count_python_calls(lambda: load_rules_text(text, Path("rules.yaml"), settings))[0]


def test_each_further_rule_costs_as_much_as_the_one_before() -> None:
    count_calls(1)  # modules are imported, and models are built
    one, two, three = count_calls(50), count_calls(100), count_calls(150)
    assert three - two < 1.02 * (two - one)
    assert (three - two) / 50 < MOST_CALLS
