"""The counters and the histogram of mlevents, by OpenTelemetry's API; see docs/observability.md."""

from opentelemetry import metrics

SECONDS = (1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)

_meter = metrics.get_meter("mlevents")
COUNTERS = {
    "events": _meter.create_counter("mlevents.events", "{delivery}", "Deliveries, by type and outcome"),
    "matches": _meter.create_counter("mlevents.matches", "{response}", "Responses begun, by rule"),
    "responses": _meter.create_counter(
        "mlevents.responses", "{response}", "Responses ended, by rule and status"
    ),
    "swept": _meter.create_counter("mlevents.swept", "{response}", "What the sweeper did, by what"),
    "quarantined": _meter.create_counter("mlevents.quarantined", "{event}", "Events put in quarantine"),
    "unstored": _meter.create_counter("mlevents.unstored", "{event}", "Events in a flood, in the log only"),
}
DURATIONS = _meter.create_histogram(
    "mlevents.response.duration",
    "s",
    "From the beginning of a response to its end, by rule and status",
    explicit_bucket_boundaries_advisory=SECONDS,
)
