"""The orchestrator RestoreTraffic: restores the traffic of a rollout that ended too early.

It takes the endpoint's lease over from the ended rollout, restores the traffic from the record that is kept
there, cleans up, and releases the lease. If it is started twice, the second one has nothing to do. If it
fails, it keeps the lease with the record, and the response or the sweeper starts another one.
"""

import json
from dataclasses import replace

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.rollback import roll_back_from
from mlevents.actions.deploy_model.rollout_record import RolloutRecord
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.lease import Lease
from mlevents.orchestration.messages import RecoveryRequest
from mlevents.orchestration.serialization import to_text


def restore_traffic(context: OrchestrationContext, text: str) -> Durable[str]:
    """Restore the traffic of an ended rollout, from a RecoveryRequest; gives its answer as JSON text."""
    answer = yield from recover_rollout(context, RecoveryRequest.from_json(json.loads(text)))
    return to_text(answer.to_json())


def recover_rollout(context: OrchestrationContext, request: RecoveryRequest) -> Durable[Answer]:
    """Take the lease over from the holder of the request that has it, and put back what its record says.

    Where the rollout had completed, nothing is put back: its own answer is given, with `completed`.
    """
    located = yield from RolloutRun(context, request.call).perform(RolloutVerb.LOCATE)
    if located.kind is AnswerKind.SKIPPED:
        return Answer(AnswerKind.DONE, "nothing was rolled out")
    lease = Lease(context, Progress.from_json(located.result).lock)
    kept = yield from lease.inherit(request.holders)
    record = None if kept is None else RolloutRecord.from_json(kept)
    answer = find_kept_answer(record, request)
    if not lease.is_held:
        if lease.ended:
            yield from lease.release()
        return answer or Answer(AnswerKind.DONE, "the rollout left nothing to put back")
    if record and record.answer is None:
        answer = yield from restore_from_record(context, lease, record)
    yield from lease.release()
    return answer or Answer(AnswerKind.DONE, "the rollout had not moved any traffic")


def restore_from_record(
    context: OrchestrationContext, lease: Lease, record: RolloutRecord
) -> Durable[Answer]:
    """Put back what the record says."""
    yield from lease.renew(None, record)
    rollback = yield from roll_back_from(context, record)
    report = {**record.progress.subject, "restored": rollback.restored, "left": rollback.left}
    return Answer(AnswerKind.DONE, str(rollback), report=report)


def find_kept_answer(record: RolloutRecord | None, request: RecoveryRequest) -> Answer | None:
    """The answer that the record holds, if the rollout of this request had completed and not another one."""
    if record is None or record.answer is None or record.call.identity != request.call.identity:
        return None
    return replace(record.answer, completed=True, report={})
