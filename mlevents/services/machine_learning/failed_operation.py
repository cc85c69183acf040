"""Why a long-running operation of Azure ML failed; the resource itself does not say it."""

from __future__ import annotations

from mlevents.errors import ActionError
from mlevents.services.answer_fields import require_object
from mlevents.services.arm_client import ArmClient
from mlevents.services.paging import same_origin
from mlevents.services.sdk_errors import clean_text, translate_errors

OPERATION_READ = "Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read"
READING = "reading the operation that failed"


def failure_reason(arm: ArmClient, status_url: str) -> str:
    """The code and message at the operation's status URL.

    The URL is at subscription scope, beyond a role on the workspace: the text reports a refusal to read it.
    """
    if not same_origin(status_url, arm.address):
        return "Azure gives no operation with a reason"
    try:
        with translate_errors(READING):
            error = require_object(arm.get(status_url).get("error") or {}, "error")
    except ActionError as refusal:
        answer = str(refusal).removeprefix(f"{READING}: ").partition(": ")[0]
        return (
            f"the reason cannot be read ({answer}): open it in Azure ML Studio, or give this identity a role "
            f"with {OPERATION_READ} on the subscription"
        )
    return (
        clean_text(f"{error.get('code')}: {error.get('message')}")
        if error
        else "the operation gives no reason"
    )
