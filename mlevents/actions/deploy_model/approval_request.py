"""The verb `ask_approval`: sends the link for a phase of a rollout to those who are asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlevents.actions.action import Done, Outcome, Pending, StepContext
from mlevents.actions.deploy_model.progress import Progress
from mlevents.errors import PermanentError, TransientError
from mlevents.gates.approve.link import ApprovalSubject
from mlevents.gates.approve.request import ApprovalMessage, ask_for_approval, begin_approval
from mlevents.gates.approve.terms import ApprovalTerms
from mlevents.services.machine_learning.resource_ids import ModelReference
from mlevents.services.services import Services


def ask_about_phase(
    progress: Progress, context: StepContext, model: ModelReference, services: Services
) -> Outcome:
    """First choose a random number, which the progress keeps; then ask with the link that it gives.

    Raises PermanentError where nobody can be asked, TransientError where that may change.
    """
    asking = progress.asking
    terms = ApprovalTerms.model_validate(asking["terms"])
    fields = {"name": model.name, "version": model.version}
    names = {"model": fields, "workspace": {"id": context.event.topic}}
    if "nonce" not in asking:
        begun = begin_approval(names, terms.not_by is not None, services)
        return Pending("an approval is needed", 0.0, replace(progress, asking={**asking, **begun}).to_json())
    subject = ApprovalSubject(*asking["subject"])
    other = {"workspace": progress.workspace} if progress.workspace else {}
    known = {**names, "endpoint": {"name": progress.endpoint, **other}}
    message = replace(ApprovalMessage(*asking["message"]), names=known)
    said = ask_for_approval(subject, asking["nonce"], message, terms.receivers, services)
    missed = _join({**said["late"], **said["refused"]})
    if not said["sent"]:
        kind = TransientError if said["late"] else PermanentError
        raise kind(f"nobody could be asked: {missed}")
    detail = f"asked {', '.join(said['sent'])} for an approval{f'; not asked: {missed}' if missed else ''}"
    return Done(detail, {"asking": {**asking, "hash": said["hash"]}})


def _join(refused: Mapping[str, Any]) -> str:
    return "; ".join(f"'{receiver}' {words}" for receiver, words in refused.items())
