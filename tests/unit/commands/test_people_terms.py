"""Whether `by` and `not_by` hold is known only where the app runs: the doctor says it."""

from pathlib import Path

import pytest

from mlevents.doctor.azure_checks import Doctor
from mlevents.doctor.resource_checks import check_people_terms
from mlevents.rules.file import load_rules_text
from mlevents.services.services import Services
from mlevents.settings import Settings

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: HOOK}}
endpoints: "*"
rules:
  - id: gate
    event: model.registered
    approve: {ask: people, within: 8h, by: [leads], not_by: author}
    do: [{uses: notify, with: {to: people, subject: s, text: t}}]
  - id: phase
    event: model.registered
    do:
      - uses: deploy_model
        with:
          template: small.yaml
          rollout: {steps: [{percent: 10}, {approve: {ask: people, within: 8h, by: [leads]}}, {percent: 100}]}
  - id: anybody
    event: model.registered
    approve: {ask: people, within: 8h}
    do: [{uses: notify, with: {to: people, subject: s, text: t}}]
"""
SMALL = (Path(__file__).parents[3] / "deployments/small.yaml").read_text()
APP = {"HOOK": "json://x", "WEBSITE_HOSTNAME": "app.example.com"}
PLACES = ["gate.approve.by", "gate.approve.not_by", "phase.do[0].with.rollout.steps[1].approve.by"]


@pytest.mark.parametrize(
    ("environment", "places", "ok"),
    [
        ({"HOOK": "json://x"}, PLACES, None),
        (APP, PLACES, False),
        ({**APP, "WEBSITE_AUTH_ENABLED": "True"}, [], None),
    ],
)
def test_the_doctor_says_whether_terms_about_people_hold(
    tmp_path: Path, environment: dict[str, str], places: list[str], ok: bool | None
):
    (tmp_path / "small.yaml").write_text(SMALL)
    settings = Settings.read(environment)
    rules = load_rules_text(RULES, tmp_path / "rules.yaml", settings)
    said = list(check_people_terms(rules, Services(settings)))
    assert [(one.about, one.ok) for one in said] == [(place, ok) for place in places]
    assert all("needs Entra sign-in" in one.said for one in said)
    if said:
        first = next(iter(Doctor(rules, settings).findings()))
        assert (first.part, first.finding) == ("approvals", said[0])
