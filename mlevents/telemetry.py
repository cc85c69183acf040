"""What happens, told to whoever listens: spans, metrics and log attributes, by OpenTelemetry's API.

A cold start imports `opentelemetry-api` alone, most of which durabletask has loaded already. Unless an SDK
is configured (on Azure the Functions worker does it), every call here does nothing.

One trace runs from the delivery to the last call of a response: the delivery's trace context travels
in the response, as `traceparent`. What is told holds ids, names from the rules and our own words, and
never a value of an event, a message, or a setting: no secret can get into it.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from opentelemetry import context, metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

EVENT, RULE, RESPONSE = "mlevents.event", "mlevents.rule", "mlevents.response"
TYPE, STEP, USES, VERB = "mlevents.type", "mlevents.step", "mlevents.uses", "mlevents.verb"
OUTCOME, STATUS = "mlevents.outcome", "mlevents.status"

UNKNOWN = "unknown"
SECONDS = (1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)

log = logging.getLogger("mlevents")

_tracer = trace.get_tracer("mlevents")
_meter = metrics.get_meter("mlevents")
_events = _meter.create_counter("mlevents.events", "{delivery}", "Deliveries, by type and outcome")
_matches = _meter.create_counter("mlevents.matches", "{response}", "Responses begun, by rule")
_responses = _meter.create_counter("mlevents.responses", "{response}", "Responses ended, by rule and status")
_swept = _meter.create_counter("mlevents.swept", "{response}", "What the sweeper did, by what")
_quarantined = _meter.create_counter("mlevents.quarantined", "{event}", "Events put in quarantine")
_unstored = _meter.create_counter("mlevents.unstored", "{event}", "Events in a flood, in the log only")
_durations = _meter.create_histogram(
    "mlevents.response.duration",
    "s",
    "From the beginning of a response to its end, by rule and status",
    explicit_bucket_boundaries_advisory=SECONDS,
)

_propagator = TraceContextTextMapPropagator()
_about: ContextVar[Mapping[str, str]] = ContextVar("mlevents_about", default=MappingProxyType({}))


@dataclass(slots=True)
class Delivery:
    """The delivery under way; its `outcome` is `failed` until somebody knows better."""

    type: str = UNKNOWN
    outcome: str = "failed"


_delivery: ContextVar[Delivery | None] = ContextVar("mlevents_delivery", default=None)


@dataclass(slots=True)
class Attempt:
    """One attempt at a step; its `outcome` is the `kind` of the answer."""

    outcome: str = "failed"


def _stamp(record: logging.LogRecord) -> bool:
    """Give a record of ours the ids that it is about; OpenTelemetry carries them as attributes."""
    for name, value in _about.get().items():
        record.__dict__.setdefault(name, value)
    return True


log.addFilter(_stamp)


def present(attributes: Mapping[str, str | None]) -> dict[str, str]:
    """Those that have a value."""
    return {name: value for name, value in attributes.items() if value}


@contextmanager
def about(ids: Mapping[str, str | None]) -> Iterator[None]:
    """Inside, every log line of ours has these ids as attributes."""
    token = _about.set({**_about.get(), **present(ids)})
    try:
        yield
    finally:
        _about.reset(token)


@contextmanager
def delivery() -> Iterator[Delivery]:
    """One delivery: a span, and at its end one count in `mlevents.events`."""
    one = Delivery()
    token = _delivery.set(one)
    with about({}), _span("deliver") as span:
        try:
            yield one
        finally:
            span.set_attributes({**_about.get(), TYPE: one.type, OUTCOME: one.outcome})
            _mark(span, one.outcome)
            _events.add(1, {"type": one.type, "outcome": one.outcome})
            _delivery.reset(token)


def saw(event: str, kind: str) -> None:
    """The delivery under way, if there is one, brought this event of this type."""
    if one := _delivery.get():
        one.type = kind
        _about.set({**_about.get(), EVENT: event})


def traceparent() -> str | None:
    """The trace context here and now, as W3C's header has it; None outside every trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def attempt(call: Mapping[str, Any]) -> Iterator[Attempt]:
    """One attempt at a step: a span in the delivery's trace, around the calls of the SDKs.

    The SDKs for Azure tell of their own calls, with queries redacted. Those of plain HTTP clients are
    kept out: the address of a webhook is its password.
    """
    from opentelemetry.instrumentation.utils import suppress_http_instrumentation

    step, verb, one = call["step"], call["verb"], Attempt()
    name = step["uses"] if verb == "perform" else f"{step['uses']} {verb}"
    with _within(call["response"], step), _span(name) as span, suppress_http_instrumentation():
        try:
            yield one
        finally:
            span.set_attributes({**_about.get(), VERB: verb, OUTCOME: one.outcome})
            _mark(span, one.outcome)


def began(response: Mapping[str, Any]) -> None:
    """A response, as JSON, has begun; call it once, and never while replaying."""
    if response["rule"]:
        _matches.add(1, {"rule": response["rule"]})
    if response["status"] == "quarantined":
        _quarantined.add(1)


def swept(what: str) -> None:
    """The sweeper did this about one orchestration that ended badly."""
    _swept.add(1, {"what": what})


def unstored(status: str) -> None:
    """An event of this status came in a flood, and is in the log only."""
    _unstored.add(1, {"status": status})


def step_ended(response: Mapping[str, Any], step: Mapping[str, str]) -> None:
    """A step of a response, as its record shows it, has ended; call it once, and never while replaying."""
    level = logging.WARNING if step["status"] == "failed" else logging.INFO
    with _within(response, step), about({STATUS: step["status"]}):
        told = (response["id"], step["id"], step["uses"], step["status"], step["detail"])
        log.log(level, "response %s: step %s (%s) %s: %s", *told)


def ended(response: Mapping[str, Any], status: str, because: str | None, seconds: float) -> None:
    """A response has ended, so long after it began; call it once, and never while replaying."""
    labels = present({"rule": response["rule"], "status": status})
    _responses.add(1, labels)
    _durations.record(max(seconds, 0.0), labels)  # clocks of two instances differ
    level = logging.WARNING if status in ("failed", "quarantined") else logging.INFO
    with _within(response), about({STATUS: status}):
        told = (response["id"], response["event"]["id"], response["rule"] or "none", status)
        log.log(level, "response %s to event %s, rule %s: %s%s", *told, f": {because}" if because else "")


@contextmanager
def _within(response: Mapping[str, Any], step: Mapping[str, str] | None = None) -> Iterator[None]:
    """Inside, all belongs to the trace of the response's delivery, and is about the response."""
    carrier = {"traceparent": response.get("traceparent") or ""}
    token = context.attach(_propagator.extract(carrier, context.get_current()))
    ids = {EVENT: response["event"]["id"], RULE: response["rule"], RESPONSE: response["id"]}
    more = {STEP: step["id"], USES: step["uses"]} if step else {}
    try:
        with about({**ids, **more}):
            yield
    finally:
        context.detach(token)


def _span(name: str) -> Any:
    """A span that keeps an exception's text to itself: nobody knows what stands in it."""
    return _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)


def _mark(span: trace.Span, outcome: str) -> None:
    """Mark what went wrong, for good or for now."""
    if outcome in ("failed", "transient"):
        span.set_status(trace.StatusCode.ERROR)
