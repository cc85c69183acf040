"""Every address of the API, and the module that has its operation.

The handlers bind each address to an HTTP function when a worker starts, which is why this table imports no
operation: the module of an operation is imported at its first request.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mlevents.orchestration.callback import CALLBACK_ROUTE


@dataclass(frozen=True, slots=True)
class Route:
    """Where an operation is called, and in which module of this package it is.

    `anonymous` ones need no key. `hub` says whether the task hub is read.
    """

    method: str
    path: str
    module: str
    anonymous: bool = False
    hub: bool = True


def route(address: str, module: str, *, anonymous: bool = False, hub: bool = True) -> Route:
    """The route of an address such as `GET v1/responses/{id}`."""
    method, _, path = address.partition(" ")
    return Route(method, path, module, anonymous, hub)


ROUTES: Mapping[str, Route] = {
    "ListApprovals": route("GET v1/approvals", "approval_list"),
    "GetApproval": route("GET v1/approvals/{id}", "approval_list"),
    "CancelResponses": route("POST v1/bulk/cancel", "bulk_operations"),
    "ReplayResponses": route("POST v1/bulk/replay", "bulk_operations"),
    "RerunResponses": route("POST v1/bulk/rerun", "bulk_operations"),
    "EndStep": route(f"POST {CALLBACK_ROUTE}", "callback_operation", anonymous=True),
    "TryConnection": route("POST v1/connections/{name}/test", "trial_operation", hub=False),
    "RunDoctor": route("GET v1/doctor", "doctor_operation", hub=False),
    "ListEvents": route("GET v1/events", "event_operations"),
    "ExplainEvent": route("POST v1/explain", "explain_operation", hub=False),
    "Health": route("GET v1/health", "health", anonymous=True, hub=False),
    "HoldEverything": route("POST v1/holds", "hold_operations"),
    "ListHolds": route("GET v1/holds", "hold_operations"),
    "ReleaseEverything": route("DELETE v1/holds", "hold_operations"),
    "OpenApi": route("GET v1/openapi.json", "openapi", hub=False),
    "PlanDelivery": route("POST v1/plan", "delivery_plan_operation"),
    "PurgeEnded": route("POST v1/purge", "purge_operation"),
    "ListResponses": route("GET v1/responses", "response_operations"),
    "GetResponse": route("GET v1/responses/{id}", "response_operations"),
    "AbortRollout": route("POST v1/responses/{id}/abort", "intervention_operations"),
    "ApproveResponse": route("POST v1/responses/{id}/approve", "approval_operations"),
    "CancelResponse": route("POST v1/responses/{id}/cancel", "intervention_operations"),
    "PromoteRollout": route("POST v1/responses/{id}/promote", "intervention_operations"),
    "RejectResponse": route("POST v1/responses/{id}/reject", "approval_operations"),
    "ReplayResponse": route("POST v1/responses/{id}/replay", "replay_operations"),
    "RerunResponse": route("POST v1/responses/{id}/rerun", "rerun_operations"),
    "ListRules": route("GET v1/rules", "rule_operations"),
    "GetRuleFile": route("GET v1/rules/text", "rule_operations", hub=False),
    "HoldRule": route("POST v1/rules/{id}/hold", "hold_operations"),
    "ReleaseRule": route("POST v1/rules/{id}/release", "hold_operations"),
    "HealthUnversioned": route("GET health", "health", anonymous=True, hub=False),
    "HealthDetails": route("GET health/details", "health", hub=False),
    "ListResponsesUnversioned": route("GET responses", "response_operations"),
    "GetResponseUnversioned": route("GET responses/{id}", "response_operations"),
}
"""By the name of the operation, which is that of its function."""
