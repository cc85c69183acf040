"""`GET v1/doctor`: the running app looks with its own identity."""

import requests

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
