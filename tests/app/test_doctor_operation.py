"""`GET v1/doctor`: the running app looks with its own identity."""

import json

import requests
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from sandbox.sandbox_process import Stage


def test_the_app_says_what_the_rules_need_and_whether_it_is_there(shipped: Stage):
    api = f"{shipped.ready['functions']}/api"
    report = requests.get(f"{api}/v1/doctor", timeout=120).json()
    assert report["ok"], report
    by_part = {(one["part"], one["about"]): one for one in report["findings"]}
    assert by_part["identity", "sign-in"]["said"].startswith("signed in as")
    assert by_part["workspace prod", "permissions"]["ok"]
    page = requests.get(f"{api}/console/doctor", timeout=120)
    assert page.status_code == 200
    assert "workspace prod" in page.text


def test_what_is_missing_is_found_with_its_remedy(shipped: Stage):
    api = f"{shipped.ready['functions']}/api"
    missing = {"match": "GET .*/factories/.*", "status": 404, "times": 50}
    requests.post(shipped.ready["faults"], json=missing, timeout=10).raise_for_status()
    try:
        report = requests.get(f"{api}/v1/doctor", timeout=120).json()
    finally:
        requests.delete(shipped.ready["faults"], timeout=10)
    assert not report["ok"]
    wrong = [one for one in report["findings"] if one["ok"] is False]
    assert "connection retraining" in {one["part"] for one in wrong}
    assert all(one["remedy"] for one in wrong)


def test_the_app_sends_a_test_message_and_says_what_came_of_it(shipped: Stage):
    words = ["doctor", "--url", shipped.ready["functions"], "--json"]
    words += ["--send-test", "mlops-teams", "--send-test", "mlops-email"]
    done = CliRunner().invoke(build_app(), words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    findings = json.loads(done.stdout)["findings"]
    assert [one["part"] for one in findings] == ["connection mlops-teams", "connection mlops-email"]
    assert all("'Test message from mlevents' is sent: notified mlops-" in one["said"] for one in findings)
    for name in ("mlops-teams", "mlops-email"):
        marked = f"This is a test of the connection '{name}'"
        assert [one for one in shipped.inbox() if marked in json.dumps(one, ensure_ascii=False)]


def test_no_test_message_goes_where_none_can(shipped: Stage):
    api = f"{shipped.ready['functions']}/api/v1/connections"
    found = requests.post(f"{api}/retraining/test", json={}, timeout=30).json()
    assert (found["ok"], found["part"]) == (False, "connection retraining")
    assert "connections of type data_factory send no messages" in found["said"]
    refused = requests.post(f"{api}/mlops-taems/test", json={}, timeout=30)
    assert refused.status_code == 404
    assert "unknown connection 'mlops-taems' (did you mean 'mlops-teams'?)" in refused.text
