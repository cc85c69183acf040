"""What the history of runs tells of a run beyond its status: its error, and its logs in the storage account.

The members are those of azure-ai-ml's `RunDetails` and `ErrorResponse` (`_restclient/runhistory/models`). The
texts are Azure ML's own for a script that exits with 1, and for a pipeline of which a step failed. The tags
`sandbox.error: "CODE: MESSAGE"` and `sandbox.log` replace the error and the log of a run and its steps.
Storage gives a range of a blob to who has the signature, and no range that counts from the end.
https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
"""

import hashlib
import hmac
import re
import secrets
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from sandbox.azure.errors import not_found
from sandbox.azure.machine_learning.runs import Run, Runs
from sandbox.azure.routes import Call, Routes

ERROR, LOG = "sandbox.error", "sandbox.log"
STEP_LOG, PIPELINE_LOG = "user_logs/std_log.txt", "logs/azureml/executionlogs.txt"
PIPELINE = "azureml.PipelineRun"
COMPUTE = "cpu-cluster"
OWNER = {"userObjectId": "00000000-0000-0000-0000-0000000000aa", "userName": "Sandbox Owner", "upn": None}
EXITED = (
    "Execution failed. User process 'python' exited with status code 1. "
    "Please check log file 'user_logs/std_log.txt' for error details."
)
TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 12, in <module>\n    train(data)'
FROM_TO = re.compile(r"bytes=(\d+)-(\d*)")


class RunLogs:
    """Serves the logs of runs as the storage account of the workspace, to who has their signature."""

    def __init__(self, runs: Runs) -> None:
        self._runs, self._secret = runs, secrets.token_bytes(32)

    def register(self, routes: Routes) -> None:
        """Serve the blobs of each run."""
        path = "/azureml/ExperimentRun/dcid.{run}/{folder}/{file}"
        deep = "/azureml/ExperimentRun/dcid.{run}/{folder}/{below}/{file}"
        for one in (path, deep):
            for method in ("GET", "HEAD"):
                routes.add(method, one, self._read, versioned=False, audience="none")

    def list_logs(self, run: Run, address: str) -> dict[str, str]:
        """The addresses of the log files of a run, by their paths in it."""
        if run.started is None and run.ended is None:
            return {}
        path = PIPELINE_LOG if run.kind == PIPELINE else STEP_LOG
        query = urlencode({"sv": "2019-07-07", "sr": "b", "sp": "r", "sig": self._sign(run.id, path)})
        return {path: f"{address}/azureml/ExperimentRun/dcid.{quote(run.id, safe='')}/{path}?{query}"}

    async def _read(self, call: Call) -> web.Response:
        names = call.names
        path = "/".join(names[one] for one in ("folder", "below", "file") if one in names)
        if not hmac.compare_digest(call.request.query.get("sig", ""), self._sign(names["run"], path)):
            text = "<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code></Error>"
            return web.Response(status=403, text=text, content_type="application/xml")
        run = self._runs.find(names["run"])
        if run is None:
            raise not_found(call.request.path)
        content = _log(run, find_error(run, self._runs)).encode()
        found = FROM_TO.fullmatch(call.request.headers.get("Range", ""))
        if call.request.method == "HEAD" or not found:
            return web.Response(body=content, content_type="text/plain")
        first, last = int(found[1]), int(found[2] or len(content) - 1)
        if first >= len(content):
            return web.Response(status=416)
        headers = {"Content-Range": f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"}
        body = content[first : last + 1]
        return web.Response(status=206, body=body, headers=headers, content_type="text/plain")

    def _sign(self, run: str, path: str) -> str:
        return hmac.new(self._secret, f"{run}/{path}".encode(), hashlib.sha256).hexdigest()


def find_error(run: Run, runs: Runs) -> dict[str, Any] | None:
    """The error of a run that failed, as `ErrorResponse`."""
    if run.status != "Failed":
        return None
    steps = [one for one in runs.all_runs() if one.parent == run.id and one.status == "Failed"]
    if steps:
        nodes = ", ".join(
            f"/{one.properties['properties'].get('azureml.moduleName', one.id)}" for one in steps
        )
        code, message = "UserError", f"Pipeline has failed child jobs. Failed nodes: {nodes}."
    else:
        parent = runs.find(run.parent) if run.parent else None
        code, message = _own_error(run, parent)
    return {"error": {"code": code, "message": message, "details": []}, "componentName": "CommonRuntime"}


def describe_details(run: Run, runs: Runs, logs: dict[str, str]) -> dict[str, Any]:
    """What `runs/{run}/details` answers."""
    times = {"createdTimeUtc": run.created, "startTimeUtc": run.started, "endTimeUtc": run.ended}
    return {
        "runId": run.id,
        "target": find_compute(run),
        "status": run.status,
        "parentRunId": run.parent,
        "rootRunId": run.root or run.id,
        "error": find_error(run, runs),
        "warnings": [],
        "tags": run.tags,
        "properties": run.own_properties,
        "logFiles": logs,
        "createdBy": OWNER,
        **{name: moment and moment.isoformat() for name, moment in times.items()},
    }


def find_compute(run: Run) -> str:
    """The name of the compute on which the run's job asked to run."""
    asked = run.properties.get("computeId") or (run.properties.get("settings") or {}).get("default_compute")
    return str(asked or COMPUTE).rsplit("/", 1)[-1]


def _own_error(run: Run, parent: Run | None) -> tuple[str, str]:
    own = run.properties.get("properties") or {}
    if "azureml.errorCode" in own:
        return str(own["azureml.errorCode"]), str(own.get("azureml.errorMessage", ""))
    written = run.tags.get(ERROR) or (parent.tags.get(ERROR) if parent else "") or ""
    code, _, message = written.partition(": ")
    return (code, message) if written else ("UserError", EXITED)


def _log(run: Run, error: dict[str, Any] | None) -> str:
    if LOG in run.tags:
        return run.tags[LOG]
    end = f"{TRACEBACK}\n{error['error']['message']}\n" if error else ""
    return f"the run {run.id} begins\n{end}"
