"""The orchestrator RestoreTraffic: puts the traffic back that a rollout left when it ended.

It takes the endpoint's lease over from the ended rollout, restores the traffic from the record that is kept
there, cleans up, and releases the lease. Started twice, the second one finds nothing to do. When it fails,
it keeps the lease with the record, and whoever started it (the response, the sweeper) starts another one.
"""

import json
from collections.abc import Generator, Sequence
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.phases import Run
from mlevents.actions.deploy_model.rollback import has_completed, put_back
from mlevents.orchestration.lease import Lease
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_runner import Course


def request(call: Any, holders: Sequence[str]) -> str:
    """The input of a RestoreTraffic: the call of the rollout, and the instances that may hold the lease."""
    return to_text({"call": call, "holders": list(holders)})


def restore_traffic(context: OrchestrationContext, text: str) -> Generator[Any, Any, str]:
    """Restore the traffic of an ended rollout; gives its answer as JSON text."""
    document = json.loads(text)
    answer = yield from restored(context, Run(context, document["call"]), document["holders"])
    return to_text(answer)


def restored(context: OrchestrationContext, run: Run, holders: Sequence[str]) -> Course:
    """Take the lease over from the one of `holders` that has it, and put back what its record says.

    Where the rollout had completed, nothing goes back: its own answer is given, with `completed`.
    """
    place = yield from run.verb("locate")
    if place["kind"] == "skipped":
        return {"kind": "done", "detail": "nothing was rolled out", "report": {}}
    lease = Lease(context, place["result"]["lock"])
    record = yield from lease.inherit(holders)
    if not lease.held:
        if lease.ghosts:
            yield from lease.release()
        return {"kind": "done", "detail": "the rollout left nothing to put back", "report": {}}
    if record is not None and has_completed(record):
        yield from lease.release()
        return {**record["answer"], "completed": True, "report": {}}
    known, report, said = {}, {}, "the rollout had not moved any traffic"
    if record is not None:
        yield from lease.renew(None, record)
        report["restored"], report["left"] = yield from put_back(context, record)
        known = {name: record["progress"].get(name) for name in ("endpoint", "deployment", "model")}
        said = f"{report['restored']}; {report['left']}"
    yield from lease.release()
    return {"kind": "done", "detail": said, "report": {**known, **report}}
