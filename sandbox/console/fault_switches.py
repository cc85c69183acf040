"""Faults that people often want to see, each as a switch that stays on until it is turned off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.faults import Fault, Faults

ALWAYS = 1_000_000
"""As often as there are requests."""
WEBHOOK = r"POST (?!.*/subscriptions/|/emails:send|/inference|/batch|/workspace-)"
"""What no service of Azure answers, so it is a receiver's."""


@dataclass(frozen=True, slots=True)
class FaultSwitch:
    """One fault: its name in forms, what it is, and what a rollout makes of it."""

    name: str
    title: str
    effect: str
    source: Mapping[str, Any]

    def is_of(self, fault: Fault) -> bool:
        """Whether a fault was requested by this switch, or by the same request elsewhere."""
        return dict(fault.request.source) == {**self.source, "times": ALWAYS}


SWITCHES = (
    FaultSwitch(
        "throttled",
        "Azure ML answers 429 to PUT deployment",
        "The step waits and tries again; it fails if this takes too long.",
        {"match": "PUT .*/deployments/.*", "status": 429, "headers": {"Retry-After": "1"}},
    ),
    FaultSwitch(
        "quota",
        "The quota is exhausted",
        "A new deployment ends Failed with OutOfQuota; the traffic does not change.",
        {
            "match": "PUT .*/deployments/.*",
            "fail_operation": {"code": "OutOfQuota", "message": "Not enough quota available for this SKU."},
        },
    ),
    FaultSwitch(
        "unhealthy",
        "The container never becomes healthy",
        "A new deployment ends Failed with ResourceNotReady; the traffic does not change.",
        {
            "match": "PUT .*/deployments/.*",
            "fail_operation": {
                "code": "ResourceNotReady",
                "message": "User container has crashed or terminated: liveness probe failed.",
            },
        },
    ),
    FaultSwitch(
        "dropped",
        "Azure drops connections",
        "Every request to Resource Manager breaks without an answer.",
        {"match": ".* /subscriptions/", "drop": True},
    ),
    FaultSwitch(
        "slow",
        "Azure is slow",
        "Every request to Resource Manager takes three seconds longer.",
        {"match": ".* /subscriptions/", "delay": 3},
    ),
    FaultSwitch(
        "metrics",
        "Azure Monitor answers 503",
        "No metric can be read, so no check of a rollout can pass.",
        {"match": ".*metrics:getBatch|.*/providers/microsoft.insights/metrics", "status": 503},
    ),
    FaultSwitch(
        "scoring",
        "Every prediction fails",
        "The smoke test of a new deployment gets 500.",
        {"match": "POST .*/inference/.*/score", "status": 500},
    ),
    FaultSwitch(
        "pipeline",
        "Every Data Factory run fails",
        "The run starts and ends Failed; with wait: true, so does the response.",
        {"match": "POST .*/createRun", "fail_operation": {"code": "UserError"}},
    ),
    FaultSwitch(
        "webhook",
        "The webhook receiver is down",
        "Teams, Slack and other webhooks answer 503.",
        {"match": WEBHOOK, "status": 503},
    ),
    FaultSwitch(
        "mail",
        "Mail is throttled",
        "Communication Services answers 429 to each mail.",
        {"match": "POST /emails:send", "status": 429, "headers": {"Retry-After": "2"}},
    ),
)


def list_switches(faults: Faults) -> Iterator[dict[str, Any]]:
    """Each switch for a template, and whether it is on."""
    for one in SWITCHES:
        on = any(one.is_of(fault) and fault.left > 0 for fault in faults.list_faults())
        yield {"name": one.name, "title": one.title, "effect": one.effect, "on": on}


def turn_switch(faults: Faults, name: str, *, on: bool) -> None:
    """Turn a switch on or off, whatever it is now; raises LookupError for an unknown one."""
    switch = next((one for one in SWITCHES if one.name == name), None)
    if switch is None:
        raise LookupError(f"there is no switch '{name}'")
    known = [fault for fault in faults.list_faults() if switch.is_of(fault)]
    if on and any(fault.left > 0 for fault in known):
        return
    for fault in known:
        faults.remove(fault.id)
    if on:
        faults.add({**switch.source, "times": ALWAYS})
