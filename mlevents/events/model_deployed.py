"""Models were deployed to a service.

    {
      "id": "6a0c6f0e-5f3b-4f0e-9c55-0d6f3c1b7a02",
      "topic": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
      "subject": "endpoints/fraud-scoring",
      "eventType": "Microsoft.MachineLearningServices.ModelDeployed",
      "eventTime": "2026-03-02T09:42:10.5Z",
      "data": {
        "serviceName": "fraud-scoring",
        "serviceComputeType": "ACI",
        "modelIds": "fraud-net:8,fraud-rules:2",
        "serviceTags": {"team": "risk"},
        "serviceProperties": {"tier": "gold"}
      },
      "dataVersion": "2",
      "metadataVersion": "1"
    }

The documentation names only ACI and AKS; whether managed online endpoints raise it is unverified.
A failed deployment raises no event at all.
"""  # noqa: E501

from typing import ClassVar

from mlevents.events.content import Content
from mlevents.events.event_type import EventType, Field, Fields, event_type, text, texts


def _models(content: Content) -> list[str]:
    """The models, which are one text with commas on the wire."""
    names = (content.text("modelIds") or "").split(",")
    return [name.strip() for name in names if name.strip()]


@event_type("Microsoft.MachineLearningServices.ModelDeployed")
class ModelDeployed(EventType):
    """Models were deployed to a service; managed online endpoints may not publish it."""

    kind = "model.deployed"
    function = "ModelDeployed"
    subject = "endpoints/{deployment.service}"
    about = ("deployment", "service")
    fields: ClassVar[Fields] = {
        "deployment": {
            "service": text(
                "serviceName",
                subject=("endpoints",),
                description="The name of the service that the models were deployed to.",
            ),
            "compute_type": text(
                "serviceComputeType", description="The type of its compute, such as ACI or AKS."
            ),
            "models": Field(
                "list",
                _models,
                "modelIds",
                description="The models of the service, each as name:version.",
                separator=",",
            ),
            "tags": texts("serviceTags", "The tags of the service, by key."),
            "properties": texts("serviceProperties", "The properties of the service, by key."),
        }
    }
