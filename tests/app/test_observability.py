"""What Application Insights receives from the app, through the worker's own Azure Monitor set-up."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import ROOT, Stage, stage, until

KEY = "00000000-0000-0000-0000-000000000000"
FRAUD = {"stage": "production", "accuracy": "0.95"}
SPAN, LINE, METRIC = "RemoteDependencyData", "MessageData", "MetricData"


class ApplicationInsights:
    """The ingestion endpoint: keeps every item it is sent."""

    def __init__(self) -> None:
        self.items: list[Json] = []
        items = self.items

        class Ingestion(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                sent = json.loads(body) if self.path.endswith("/track") else []
                items.extend(sent)
                answer = {"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Ingestion)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """The app settings of docs/observability.md, and what makes the SDK quick and quiet."""
        url = f"http://127.0.0.1:{self.server.server_port}/"
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey={KEY};IngestionEndpoint={url};LiveEndpoint={url}"
            ),
            "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
            "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME": "mlevents",
            "OTEL_TRACES_SAMPLER": "always_on",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        }

    def of(self, kind: str) -> list[Json]:
        """What is told of each item of a kind, with its operation's id."""
        found = [item for item in list(self.items) if item["data"]["baseType"] == kind]
        return [{**one["data"]["baseData"], "operation": one["tags"].get("ai.operation.id")} for one in found]

    def counted(self) -> Counter[tuple[str, ...]]:
        """The sum of each of our metrics, by name and labels."""
        sums: Counter[tuple[str, ...]] = Counter()
        for item in self.of(METRIC):
            [point] = item["metrics"]
            labels = sorted(f"{name}={value}" for name, value in (item.get("properties") or {}).items())
            if point["name"].startswith("mlevents."):
                sums[(point["name"], *labels)] += point["value"]
        return sums


class Seen:
    """A sandbox whose app tells Application Insights, and what happened there."""

    def __init__(self, on: Stage, insights: ApplicationInsights) -> None:
        self.on, self.insights = on, insights
        on.register("fraud-told", "1", FRAUD)
        until(lambda: on.responses("models/fraud-told:1"), 10, lambda: "no response")
        self.drift = on.drift_detected("told", 0.8)
        for _ in range(2):
            on.deliver("DatasetDriftDetected", self.drift)
        on.deliver("ModelRegistered", on.model_registered("unwanted", "1", {}))
        foreign = on.workspace.replace("ml-prod", "ml-elsewhere")
        on.deliver("ModelRegistered", on.model_registered("fraud-foreign", "1", FRAUD, topic=foreign))
        on.post("ModelRegistered", '[{"no": "event"}]')
        on.deliver("RunStatusChanged", on.run_status_changed("told-1", "Failed"))
        self.responses = on.settled()
        until(self.all_told, 20, lambda: f"told so far: {insights.counted()}")

    def all_told(self) -> bool:
        """Whether the ends of all responses have been counted, logged and traced."""
        ends = sum(n for name, n in self.insights.counted().items() if name[0] == "mlevents.responses")
        spans = {one["properties"].get("mlevents.response") for one in self.insights.of(SPAN)}
        lines = [one for one in self.insights.of(LINE) if "to event" in one["message"]]
        acted = {one["id"] for one in self.responses if one["steps"]}
        return ends >= len(self.responses) and acted <= spans and len(lines) >= 2 * len(self.responses)

    def response(self, rule: str) -> Json:
        [one] = [one for one in self.responses if one["rule"] == rule]
        return one


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    insights = ApplicationInsights()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in insights.environment().items():
            patch.setenv(name, value)
        with open(os.devnull, "wb") as log, stage(None, 240, "--twice", "--verbose", log=log) as on:
            yield Seen(on, insights)
    insights.server.shutdown()
    insights.server.server_close()


def test_each_happening_is_counted_once_though_activities_run_twice(seen: Seen):
    counted = seen.insights.counted()
    durations = {name: counted.pop(name) for name in list(counted) if name[0].endswith(".duration")}
    assert counted == {
        ("mlevents.events", "outcome=matched", "type=model.registered"): 1,
        ("mlevents.events", "outcome=matched", "type=drift.detected"): 1,
        ("mlevents.events", "outcome=redelivered", "type=drift.detected"): 1,
        ("mlevents.events", "outcome=matched", "type=run.status_changed"): 1,
        ("mlevents.events", "outcome=unmatched", "type=model.registered"): 1,
        ("mlevents.events", "outcome=refused", "type=model.registered"): 1,
        ("mlevents.events", "outcome=quarantined", "type=unknown"): 1,
        ("mlevents.matches", "rule=deploy-production-models"): 1,
        ("mlevents.matches", "rule=retrain-on-drift"): 1,
        ("mlevents.matches", "rule=alert-failed-runs"): 1,
        ("mlevents.responses", "rule=deploy-production-models", "status=done"): 1,
        ("mlevents.responses", "rule=retrain-on-drift", "status=done"): 1,
        ("mlevents.responses", "rule=alert-failed-runs", "status=done"): 1,
        ("mlevents.responses", "status=refused"): 1,
        ("mlevents.responses", "status=quarantined"): 1,
        ("mlevents.quarantined",): 1,
    }
    assert len(durations) == 5
    of_rules = [seconds for name, seconds in durations.items() if any("rule=" in label for label in name)]
    assert len(of_rules) == 3
    assert all(seconds > 0 for seconds in of_rules)


def test_one_operation_shows_delivery_attempts_and_calls_of_azure(seen: Seen):
    spans = seen.insights.of(SPAN)
    response = seen.response("deploy-production-models")
    [delivery] = [
        one
        for one in spans
        if one["name"] == "deliver" and one["properties"].get("mlevents.event") == response["event"]["id"]
    ]
    names = [one["name"] for one in spans if one["operation"] == delivery["operation"]]
    assert {"deploy_model create_deployment", "notify"} <= set(names)
    assert [
        name
        for name in names
        if name.startswith("PUT ") and "/onlineEndpoints/fraud-told/deployments/" in name
    ]
    attempts = [one for one in spans if one["properties"].get("mlevents.response") == response["id"]]
    assert {one["operation"] for one in attempts} == {delivery["operation"]}
    assert {one["properties"]["mlevents.rule"] for one in attempts} == {"deploy-production-models"}


def test_a_redelivery_leaves_the_response_in_the_trace_of_the_first(seen: Seen):
    deliveries = {
        one["properties"]["mlevents.outcome"]: one["operation"]
        for one in seen.insights.of(SPAN)
        if one["properties"].get("mlevents.event") == seen.drift["id"] and one["name"] == "deliver"
    }
    [operation] = {
        one["operation"] for one in seen.insights.of(SPAN) if one["name"] == "run_data_factory_pipeline"
    }
    assert operation == deliveries["matched"] != deliveries["redelivered"]


def test_log_lines_arrive_with_ids_in_the_operation_of_their_delivery(seen: Seen):
    response = seen.response("retrain-on-drift")
    lines = [
        one for one in seen.insights.of(LINE) if one["properties"].get("mlevents.response") == response["id"]
    ]
    [end] = [one for one in lines if one["message"].endswith(": done")]
    assert (response["id"] in end["message"], seen.drift["id"] in end["message"]) == (True, True)
    assert end["properties"]["mlevents.event"] == seen.drift["id"]
    assert end["properties"]["mlevents.rule"] == "retrain-on-drift"
    assert end["properties"]["mlevents.status"] == "done"
    [attempt, *_] = [
        one for one in seen.insights.of(SPAN) if one["properties"].get("mlevents.response") == response["id"]
    ]
    assert end["operation"] == attempt["operation"]


def test_rollouts_are_logged_as_the_workbook_asks_for_them(seen: Seen):
    [rollout] = [
        one["properties"]
        for one in seen.insights.of(LINE)
        if one["properties"].get("mlevents.uses") == "deploy_model"
        and one["properties"].get("mlevents.status")
    ]
    assert (rollout["mlevents.rule"], rollout["mlevents.status"]) == ("deploy-production-models", "done")


def test_no_secret_reaches_application_insights(seen: Seen):
    told = json.dumps(seen.insights.items)
    spans = json.dumps(seen.insights.of(SPAN))
    assert "eyJ" not in told  # how every token begins
    assert "/sandbox/sandbox" not in spans  # the webhook's address
    assert "/workflows/" not in told


def test_importing_the_app_loads_no_telemetry_but_the_api():
    program = "import function_app, json, sys; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    loaded: list[Any] = json.loads(answer.stdout)
    foreign = ("azure.monitor", "azure.core", "opentelemetry.sdk", "opentelemetry.instrumentation")
    assert [name for name in loaded if name.startswith(foreign)] == []
