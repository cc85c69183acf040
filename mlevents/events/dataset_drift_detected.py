"""A v1 dataset monitor found drift.

    {
      "id": "6a0c6f0e-5f3b-4f0e-9c55-0d6f3c1b7a05",
      "topic": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
      "subject": "datadrift/9f2d6f5e-7f44-4c6b-8d53-4c8f5b0a3e33/run/9f2d6f5e_1772400000000",
      "eventType": "Microsoft.MachineLearningServices.DatasetDriftDetected",
      "eventTime": "2026-03-02T05:30:00Z",
      "data": {
        "dataDriftId": "9f2d6f5e-7f44-4c6b-8d53-4c8f5b0a3e33",
        "dataDriftName": "transactions-drift",
        "runId": "9f2d6f5e_1772400000000",
        "baseDatasetId": "transactions-train",
        "targetDatasetId": "transactions-live",
        "driftCoefficient": 0.42,
        "startTime": "2026-03-01T00:00:00+00:00",
        "endTime": "2026-03-02T00:00:00+00:00"
      },
      "dataVersion": "2",
      "metadataVersion": "1"
    }

The subject is `datadrift/<id>/run/<id>` on the wire, `datadrifts/<id>/runs/<id>` in the documentation.
"""  # noqa: E501

from typing import ClassVar

from mlevents.events.breach_list import BREACHES, Breach
from mlevents.events.content import Content
from mlevents.events.event_type import EventType, Field, Fields, event_type, number, text

MONITOR_RUN_ID = text("runId", subject=("run", "runs"))
COEFFICIENT = "driftCoefficient"


def _breaches(content: Content) -> list[Breach] | None:
    """The one breach that v1 knows: its coefficient, whose threshold is not in the event."""
    value = content.number(COEFFICIENT)
    return None if value is None else [{"metric": "coefficient", "value": value}]


def _metric(content: Content) -> str | None:
    return None if content.number(COEFFICIENT) is None else "coefficient"


@event_type("Microsoft.MachineLearningServices.DatasetDriftDetected")
class DatasetDriftDetected(EventType):
    """A monitor found data drift: a dataset monitor (v1) or, as a breach of its run, a model monitor (v2)."""

    kind = "drift.detected"
    function = "DatasetDriftDetected"
    subject = "datadrift/{drift.monitor}/run/{drift.run}"
    about = ("drift", "run")
    fields: ClassVar[Fields] = {
        "drift": {
            "monitor": text("dataDriftName", "dataDriftId", subject=("datadrift", "datadrifts")),
            "run": MONITOR_RUN_ID,
            "monitor_run": Field("text", MONITOR_RUN_ID.read),  # one run is a monitor's whole evaluation
            "generation": Field("text", lambda _: "v1"),
            "coefficient": number(
                COEFFICIENT, "The drift coefficient, 0 to 1 (v1, retired). `value` is in both generations."
            ),
            "breaches": Field(BREACHES, _breaches),
            "metric": Field("text", _metric),
            "value": number(COEFFICIENT),
            "baseline": text("baseDatasetId", description="The id of the baseline dataset (v1)."),
            "target": text(
                "targetDatasetId", description="The id of the dataset that was compared with it (v1)."
            ),
            "window_start": Field(
                "text",
                lambda content: content.instant("startTime"),
                "startTime",
                description="The start of the compared time span, in UTC (v1).",
            ),
            "window_end": Field(
                "text",
                lambda content: content.instant("endTime"),
                "endTime",
                description="The end of the compared time span, in UTC (v1).",
            ),
        }
    }
