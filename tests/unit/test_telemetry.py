"""What is told, seen through OpenTelemetry's own SDK."""

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from opentelemetry import context, metrics, trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mlevents import telemetry
from mlevents.orchestration.messages import Response

Points = dict[tuple[str, tuple[tuple[str, str], ...]], float]
HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "sig=a-password"


@pytest.fixture(scope="session")
def reader() -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    return reader


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


class Counted:
    """What was counted since the test began."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self.reader = reader
        self.before = self.now()

    def now(self) -> Points:
        found: Points = {}
        data = self.reader.get_metrics_data()
        for scope in data.resource_metrics[0].scope_metrics if data else ():
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    labels = tuple(sorted((k, str(v)) for k, v in (point.attributes or {}).items()))
                    value = getattr(point, "value", None)
                    found[metric.name, labels] = getattr(point, "sum", 0) if value is None else value
        return found

    def since(self) -> Points:
        now = self.now()
        changes = {key: now[key] - self.before.get(key, 0) for key in now}
        return {key: change for key, change in changes.items() if change}


@pytest.fixture
def counted(reader: InMemoryMetricReader) -> Counted:
    return Counted(reader)


def response(traceparent: str | None = None, rule: str | None = "r") -> telemetry.ResponseTrace:
    return telemetry.ResponseTrace("r.1", rule, "e-1", traceparent)


STEP = telemetry.StepTrace("s", "notify")


def attempt_at(traceparent: str | None = None, verb: str = "perform") -> Any:
    return telemetry.trace_attempt(response(traceparent), STEP, verb)


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    [span] = spans.get_finished_spans()
    return span


def test_a_delivery_is_counted_once_by_type_and_outcome(counted: Counted, spans: InMemorySpanExporter):
    with telemetry.trace_delivery() as one:
        telemetry.identify_event("e-1", "model.registered")
        one.outcome = "matched"
    labels = (("outcome", "matched"), ("type", "model.registered"))
    assert counted.since() == {("mlevents.events", labels): 1}
    assert only(spans).attributes == {
        "mlevents.event": "e-1",
        "mlevents.type": "model.registered",
        "mlevents.outcome": "matched",
    }


def test_a_delivery_that_raises_is_failed_and_its_words_stay_out(
    counted: Counted, spans: InMemorySpanExporter
):
    with pytest.raises(RuntimeError), telemetry.trace_delivery():
        raise RuntimeError(SECRET)
    assert counted.since() == {("mlevents.events", (("outcome", "failed"), ("type", "unknown"))): 1}
    span = only(spans)
    assert span.status.status_code is trace.StatusCode.ERROR
    assert SECRET not in span.to_json()


def test_nothing_of_one_delivery_is_left_for_the_next(spans: InMemorySpanExporter):
    with telemetry.trace_delivery():
        telemetry.identify_event("e-1", "model.registered")
    with telemetry.trace_delivery():
        pass
    last = spans.get_finished_spans()[-1]
    assert last.attributes == {"mlevents.type": "unknown", "mlevents.outcome": "failed"}


def test_deciding_outside_a_delivery_tells_nothing(counted: Counted):
    telemetry.identify_event("e-1", "model.registered")
    assert counted.since() == {}


def test_one_trace_runs_from_the_host_over_the_delivery_to_the_attempt(spans: InMemorySpanExporter):
    host = TraceContextTextMapPropagator().extract({"traceparent": HOST})
    token = context.attach(host)
    try:
        with telemetry.trace_delivery():
            carried = telemetry.current_traceparent()
    finally:
        context.detach(token)
    with attempt_at(carried):
        inner = telemetry.current_traceparent() or ""
    deliver, attempt = spans.get_finished_spans()
    assert f"{deliver.context.trace_id:032x}" == HOST.split("-")[1] == inner.split("-")[1]
    assert deliver.parent
    assert attempt.parent
    assert f"{deliver.parent.span_id:016x}" == HOST.split("-")[2]
    assert attempt.context.trace_id == deliver.context.trace_id
    assert attempt.parent.span_id == deliver.context.span_id


def test_an_attempt_says_what_it_is_about_and_what_came_of_it(spans: InMemorySpanExporter):
    with attempt_at(HOST, verb="shift_traffic") as one:
        one.outcome = "pending"
    span = only(spans)
    assert span.name == "notify shift_traffic"
    assert span.status.status_code is trace.StatusCode.UNSET
    assert span.attributes == {
        "mlevents.event": "e-1",
        "mlevents.rule": "r",
        "mlevents.response": "r.1",
        "mlevents.step": "s",
        "mlevents.uses": "notify",
        "mlevents.verb": "shift_traffic",
        "mlevents.outcome": "pending",
    }


@pytest.mark.parametrize("outcome", ["failed", "transient"])
def test_an_attempt_that_did_not_succeed_is_marked(spans: InMemorySpanExporter, outcome: str):
    with attempt_at() as one:
        one.outcome = outcome
    assert only(spans).status.status_code is trace.StatusCode.ERROR


@pytest.fixture
def webhook() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook?{SECRET}"
        server.shutdown()


def test_a_webhooks_address_is_in_no_span_even_with_its_client_instrumented(
    spans: InMemorySpanExporter, webhook: str
):
    RequestsInstrumentor().instrument()
    try:
        requests.post(webhook, timeout=5)
        [leaked] = spans.get_finished_spans()
        assert "/hook" in leaked.to_json()  # so the instrumentation does work
        spans.clear()
        with attempt_at():
            requests.post(webhook, timeout=5)
    finally:
        RequestsInstrumentor().uninstrument()
    assert "/hook" not in only(spans).to_json()
    assert SECRET not in only(spans).to_json()


def test_a_response_counts_its_beginning_and_its_end(counted: Counted):
    telemetry.count_start(response(), "running")
    telemetry.report_end(response(), "done", None, 2.5)
    ended = (("rule", "r"), ("status", "done"))
    assert counted.since() == {
        ("mlevents.matches", (("rule", "r"),)): 1,
        ("mlevents.responses", ended): 1,
        ("mlevents.response.duration", ended): 2.5,
    }


def test_an_event_in_quarantine_matches_no_rule(counted: Counted):
    telemetry.count_start(response(rule=None), "quarantined")
    assert counted.since() == {("mlevents.quarantined", ()): 1}


def test_an_event_that_is_not_stored_is_counted_by_status(counted: Counted):
    telemetry.count_unstored("refused")
    assert counted.since() == {("mlevents.unstored", (("status", "refused"),)): 1}


def test_log_lines_carry_ids_as_attributes_and_in_their_text(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "mlevents")
    telemetry.report_step_end(response(HOST), STEP, "failed", "no answer")
    telemetry.report_end(response(HOST), "failed", "step 's': no answer", 1.0)
    step, end = caplog.records
    assert step.getMessage() == "response r.1: step s (notify) failed: no answer"
    assert end.getMessage() == "response r.1 to event e-1, rule r: failed: step 's': no answer"
    ids = {"mlevents.event": "e-1", "mlevents.rule": "r", "mlevents.response": "r.1"}
    for record in (step, end):
        assert ids.items() <= vars(record).items()
        assert (record.levelname, vars(record)["mlevents.status"]) == ("WARNING", "failed")
    assert vars(step)["mlevents.uses"] == "notify"


def test_a_log_line_outside_everything_has_no_ids(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "mlevents")
    logging.getLogger("mlevents").info("on its own")
    assert not any(name.startswith("mlevents.") for name in vars(caplog.records[0]))


@pytest.mark.parametrize("carried", [None, "", "rubbish", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_without_a_usable_trace_context_an_attempt_begins_a_trace(
    spans: InMemorySpanExporter, carried: str | None
):
    with attempt_at(carried):
        pass
    assert only(spans).parent is None


def test_a_response_from_before_telemetry_is_understood(spans: InMemorySpanExporter):
    event: dict[str, Any] = {
        "id": "e-1",
        "type": "t",
        "kinds": [],
        "time": None,
        "subject": "s",
        "topic": "",
        "names": {},
    }
    old = Response.from_json({"id": "r.1", "rule": "r", "event": event})
    with telemetry.trace_attempt(old.trace, STEP, "perform"):
        pass
    assert only(spans).name == "notify"
