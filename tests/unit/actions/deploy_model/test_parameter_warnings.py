"""What `check` says of checks that can hardly be met, and of durations of nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlevents.actions.deploy_model.parameter_warnings import find_cautions
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.errors import RulesError
from mlevents.rules.file import load_rules
from mlevents.rules.model import Rules
from mlevents.settings import Settings

SMOKE = {"request": {"input_data": [[1]]}}
RATE = {"metric": "error_rate", "max": 0.1}


def said(**rollout: Any) -> list[tuple[str, str]]:
    return list(find_cautions(Rollout.model_validate(rollout)))


def step(**more: str | None) -> dict[str, Any]:
    return {"percent": 10, "for": "10m", **more}


@pytest.mark.parametrize(
    ("rollout", "parameter", "words"),
    [
        (
            {"checks": [RATE], "steps": [step()], "min_requests": 0},
            "min_requests",
            "error_rate is unknown without requests, so the phase never continues: write `no_traffic",
        ),
        ({"checks": [RATE], "steps": [step(**{"for": "1m"})]}, "steps[0].for", ": there will be no verdict"),
        ({"checks": [RATE], "steps": [step(**{"for": "2m"})]}, "steps[0].for", "shorter than the 3 min"),
        ({"min_requests": 1, "mirror": {"percent": 5, "for": "2m"}}, "mirror.for", "shorter than the 3 min"),
        (
            {"checks": [RATE | {"window": "15m"}], "steps": [step()]},
            "checks[0].window",
            "15 min is longer than the 10 min of steps[0]",
        ),
        (
            {"no_traffic": "probe", "smoke_test": SMOKE, "min_requests": 500, "steps": [step()]},
            "steps[0].for",
            "1 probes a second for 10 min give fewer than 500 requests in time",
        ),
    ],
    ids=["no requests", "never", "late", "mirror", "window", "probes"],
)
def test_a_check_that_can_hardly_be_met_is_named(rollout: dict[str, Any], parameter: str, words: str) -> None:
    [(where, text)] = said(**rollout)
    assert where == parameter
    assert words in text


@pytest.mark.parametrize(
    ("lasting", "timeout", "never"),
    [
        ("89s", None, True),
        ("90s", None, False),
        ("1m", "179s", True),
        ("1m", "3m", False),
        ("179s", "1m", True),
    ],
)
def test_nothing_can_be_judged_before_the_metrics_come(
    lasting: str, timeout: str | None, never: bool
) -> None:
    [(_, text)] = said(checks=[RATE], steps=[step(**{"for": lasting, "timeout": timeout})])
    assert ("there will be no verdict" in text) is never
    assert "shorter than the 3 min" in text


@pytest.mark.parametrize(("rps", "needed", "few"), [(1, 420, False), (1, 421, True), (2, 840, False)])
def test_probes_are_too_few_where_the_metrics_cannot_show_enough_in_time(
    rps: float, needed: int, few: bool
) -> None:
    probing = {"no_traffic": "probe", "smoke_test": SMOKE, "probe": {"rps": rps}}
    assert bool(said(**probing, min_requests=needed, steps=[step()])) is few


def test_where_no_request_is_needed_no_probe_is_missed() -> None:
    probing = {"no_traffic": "probe", "smoke_test": SMOKE, "checks": [RATE], "min_requests": 0}
    [(_, text)] = said(**probing, steps=[step(**{"for": "1m"})])
    assert "shorter than the 3 min" in text


def test_the_first_metric_that_needs_requests_is_named() -> None:
    checks = [{"metric": "requests", "max": 9}, RATE, {"metric": "latency_p95", "max": "1s"}]
    [(_, text)] = said(checks=checks, steps=[step()], min_requests=0)
    assert "error_rate is unknown without requests" in text


@pytest.mark.parametrize(
    "rollout",
    [
        {"steps": [step(**{"for": "1m"})]},
        {"checks": [RATE], "steps": [step(**{"for": "3m"})]},
        {"checks": [RATE | {"window": "10m"}], "steps": [step()]},
        {"checks": [RATE | {"window": "5m"}], "steps": [step()], "min_requests": 50},
        {"checks": [RATE], "steps": [step()], "min_requests": 0, "no_traffic": "proceed"},
        {"checks": [{"metric": "requests", "max": 9}], "steps": [step()], "min_requests": 0},
        {"no_traffic": "probe", "smoke_test": SMOKE, "min_requests": 50, "steps": [step()]},
    ],
)
def test_what_can_be_met_is_said_nothing_of(rollout: dict[str, Any]) -> None:
    assert said(**rollout) == []


def loaded(folder: Path, rollout: dict[str, Any], **step: Any) -> Rules:
    (folder / "small.yaml").write_text("instance_type: Standard_DS3_v2\n")
    one = {
        "uses": "deploy_model",
        "with": {"endpoint": "fraud", "template": "small.yaml", "rollout": rollout},
        **step,
    }
    rule = {"id": "r", "event": "model.registered", "do": [one]}
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "rules": [rule]}))
    return load_rules(path, Settings(environment={}))


def test_a_caution_is_a_warning_at_its_place(tmp_path: Path) -> None:
    rules = loaded(tmp_path, {"checks": [RATE], "steps": [step()], "min_requests": 0})
    warnings = {one.path: one.text for one in rules.warnings}
    assert warnings["rules[0].do[0].with.rollout.min_requests"].startswith("with 0, a phase needs no request")


@pytest.mark.parametrize(
    ("rollout", "more", "words"),
    [
        ({"checks": [RATE], "min_requests": 50}, {}, "`checks` and `min_requests` would never be used"),
        ({"keep": 1}, {"timeout": "0s"}, "rules[0].do[0].timeout: the duration must be longer than 0 s"),
    ],
)
def test_what_would_check_nothing_does_not_load(
    tmp_path: Path, rollout: dict[str, Any], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(RulesError) as caught:
        loaded(tmp_path, rollout, **more)
    assert words in str(caught.value)
