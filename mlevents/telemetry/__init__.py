"""Spans, metrics and log attributes, by OpenTelemetry's API.

A cold start imports the API of traces alone, which durabletask has loaded already. Unless an SDK is
configured (on Azure the Functions worker does it), every call here does nothing.

One trace runs from the delivery to the last call of a response: the delivery's trace context travels
in the response, as `traceparent`. Telemetry holds ids, names from the rules and our own words, and
never a value of an event, a message, or a setting: no secret can get into it.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

EVENT, RULE, RESPONSE = "mlevents.event", "mlevents.rule", "mlevents.response"
TYPE, STEP, USES, VERB = "mlevents.type", "mlevents.step", "mlevents.uses", "mlevents.verb"
OUTCOME, STATUS = "mlevents.outcome", "mlevents.status"

UNKNOWN = "unknown"

log = logging.getLogger("mlevents")

_tracer = trace.get_tracer("mlevents")
_propagator = TraceContextTextMapPropagator()
_ids: ContextVar[Mapping[str, str]] = ContextVar("mlevents_ids", default=MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ResponseTrace:
    """What telemetry names of a response: its id, its rule, its event's id, and its delivery's trace."""

    id: str
    rule: str | None
    event: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class StepTrace:
    """What telemetry names of a step: its id and its action."""

    id: str
    uses: str


@dataclass(slots=True)
class Delivery:
    """The delivery under way; its `outcome` is `failed` until another one is set."""

    type: str = UNKNOWN
    outcome: str = "failed"


_delivery: ContextVar[Delivery | None] = ContextVar("mlevents_delivery", default=None)


@dataclass(slots=True)
class Attempt:
    """One attempt at a step; its `outcome` is the `kind` of the answer."""

    outcome: str = "failed"


def _stamp(record: logging.LogRecord) -> bool:
    """Give a record of ours the ids of its context; OpenTelemetry sends them as attributes."""
    for name, value in _ids.get().items():
        record.__dict__.setdefault(name, value)
    return True


log.addFilter(_stamp)


def keep_values(attributes: Mapping[str, str | None]) -> dict[str, str]:
    """Those attributes that have a value."""
    return {name: value for name, value in attributes.items() if value}


@contextmanager
def log_context(ids: Mapping[str, str | None]) -> Iterator[None]:
    """Inside, every log line of ours has these ids as attributes."""
    token = _ids.set({**_ids.get(), **keep_values(ids)})
    try:
        yield
    finally:
        _ids.reset(token)


@contextmanager
def trace_delivery() -> Iterator[Delivery]:
    """One delivery: a span, and at its end one count in `mlevents.events`."""
    one = Delivery()
    token = _delivery.set(one)
    with log_context({}), _span("deliver") as span:
        try:
            yield one
        finally:
            span.set_attributes({**_ids.get(), TYPE: one.type, OUTCOME: one.outcome})
            _mark(span, one.outcome)
            _count("events", {"type": one.type, "outcome": one.outcome})
            _delivery.reset(token)


def identify_event(event: str, kind: str) -> None:
    """Set the event and its type of the delivery under way, if there is one."""
    if one := _delivery.get():
        one.type = kind
        _ids.set({**_ids.get(), EVENT: event})


def current_traceparent() -> str | None:
    """The current trace context, as W3C's header has it; None outside every trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def trace_attempt(response: ResponseTrace, step: StepTrace, verb: str) -> Iterator[Attempt]:
    """One attempt at a step: a span in the delivery's trace, around the calls of the SDKs.

    The SDKs for Azure record their own calls, with queries redacted. Those of plain HTTP clients are
    not recorded: the address of a webhook is its password.
    """
    from opentelemetry.instrumentation.utils import suppress_http_instrumentation

    one = Attempt()
    name = step.uses if verb == "perform" else f"{step.uses} {verb}"
    with _continue_trace(response, step), _span(name) as span, suppress_http_instrumentation():
        try:
            yield one
        finally:
            span.set_attributes({**_ids.get(), VERB: verb, OUTCOME: one.outcome})
            _mark(span, one.outcome)


def count_start(response: ResponseTrace, status: str) -> None:
    """Count a response that begins with this status; call it once, and never while replaying."""
    if response.rule:
        _count("matches", {"rule": response.rule})
    if status == "quarantined":
        _count("quarantined")


def count_sweep(what: str) -> None:
    """Count what the sweeper did about one orchestration that ended badly."""
    _count("swept", {"what": what})


def count_unstored(status: str) -> None:
    """Count an event of this status that came in a flood, and is in the log only."""
    _count("unstored", {"status": status})


def report_step_end(response: ResponseTrace, step: StepTrace, status: str, detail: str) -> None:
    """Log the end of a step; call it once, and never while replaying."""
    level = logging.WARNING if status == "failed" else logging.INFO
    with _continue_trace(response, step), log_context({STATUS: status}):
        log.log(level, "response %s: step %s (%s) %s: %s", response.id, step.id, step.uses, status, detail)


def report_end(response: ResponseTrace, status: str, because: str | None, seconds: float) -> None:
    """Log and count the end of a response, after this long; call it once, and never while replaying."""
    labels = keep_values({"rule": response.rule, "status": status})
    _count("responses", labels)
    if _is_measured():
        from mlevents.telemetry.instruments import DURATIONS

        DURATIONS.record(max(seconds, 0.0), labels)  # clocks of two instances differ
    level = logging.WARNING if status in ("failed", "quarantined") else logging.INFO
    with _continue_trace(response), log_context({STATUS: status}):
        words = (response.id, response.event, response.rule or "none", status)
        log.log(level, "response %s to event %s, rule %s: %s%s", *words, f": {because}" if because else "")


@contextmanager
def _continue_trace(response: ResponseTrace, step: StepTrace | None = None) -> Iterator[None]:
    """Inside, all belongs to the trace of the response's delivery, and has the ids of the response."""
    carrier = {"traceparent": response.traceparent or ""}
    token = context.attach(_propagator.extract(carrier, context.get_current()))
    ids = {EVENT: response.event, RULE: response.rule, RESPONSE: response.id}
    own = {STEP: step.id, USES: step.uses} if step else {}
    try:
        with log_context({**ids, **own}):
            yield
    finally:
        context.detach(token)


def _span(name: str) -> Any:
    """A span without an exception's text, which may hold a secret."""
    return _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)


def _count(counter: str, labels: Mapping[str, str] | None = None) -> None:
    if _is_measured():
        from mlevents.telemetry.instruments import COUNTERS

        COUNTERS[counter].add(1, labels)


def _is_measured() -> bool:
    """Whether metrics may be read: their reader has imported the API by now, or the API will find it."""
    return "opentelemetry.metrics" in sys.modules or "OTEL_PYTHON_METER_PROVIDER" in os.environ


def _mark(span: trace.Span, outcome: str) -> None:
    """Mark an error, whether or not it is retried."""
    if outcome in ("failed", "transient"):
        span.set_status(trace.StatusCode.ERROR)
