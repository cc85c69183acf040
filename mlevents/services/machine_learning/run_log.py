"""The end of a run's log, read from the storage account where Azure ML keeps it.

The history of runs gives an address with a signature for each log file. Only storage accounts of Azure are
asked, over TLS: their names cannot be made to lead elsewhere, so a private endpoint is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from mlevents.errors import PermanentError
from mlevents.services.http.http_client import HttpCall, HttpClient
from mlevents.services.redaction import redact
from mlevents.settings import Settings

SHOWN_LINES, LOG_BYTES, LOG_LINE_LENGTH = 20, 65_536, 300
"""Lines that are shown, bytes that are read, and characters of a line."""
STORAGE = re.compile(
    r"[a-z0-9]{3,24}\.(?:z\d\d\.)?blob\.(?:core\.windows\.net|core\.usgovcloudapi\.net|core\.chinacloudapi\.cn"
    r"|storage\.azure\.net)"
)
"""https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints"""
_THIS_MACHINE = "127.0.0.1"
USUAL_LOGS = (
    r"user_logs/std_log\.txt",
    r"user_logs/std_log.*\.txt",
    r"azureml-logs/70_driver_log.*\.txt",
    r"logs/azureml/stderrlogs\.txt",
    r"logs/azureml/executionlogs\.txt",
)
"""What the user's code prints, in today's runtime and the one before, then what a pipeline's step does.
https://learn.microsoft.com/azure/machine-learning/how-to-log-view-metrics#user_logs-folder"""


def find_log(logs: Mapping[str, str]) -> str:
    """The path of the log that says most about a failure; empty when there is none of the usual ones."""
    for pattern in USUAL_LOGS:
        found = sorted(path for path in logs if re.fullmatch(pattern, path))
        if found:
            return found[0]
    return ""


def read_log_end(address: str, settings: Settings) -> list[str]:
    """The last lines of a log, without secrets; raises PermanentError or TransientError."""
    check_log_host(address, settings)
    client = HttpClient(allow_private=True, certificates=settings.environment.get("REQUESTS_CA_BUNDLE"))
    size = _read_size(client, address)
    if not size:
        return []
    begin = max(0, size - LOG_BYTES)
    headers = {"Range": f"bytes={begin}-{size - 1}", "Accept-Encoding": "identity"}
    answer = client.send(HttpCall("GET", address, headers))
    if answer.status not in (200, 206):
        raise PermanentError(f"the log cannot be read: storage answered {answer.status}")
    text = redact(answer.content[-LOG_BYTES:].decode("utf-8", "replace"))
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if begin and len(lines) > 1:
        lines = lines[1:]  # the first one is cut
    return [line[:LOG_LINE_LENGTH] for line in lines[-SHOWN_LINES:]]


def check_log_host(address: str, settings: Settings) -> None:
    """Raise PermanentError unless the address is one of a storage account, or on this machine and allowed."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    allowed = host == _THIS_MACHINE and bool({"*", host} & settings.private_hosts)
    usual_port = parts.port in (None, 443)
    if parts.scheme != "https" or not (allowed or (usual_port and STORAGE.fullmatch(host))):
        raise PermanentError(f"the log is at {host or 'no host'}, which is not a storage account of Azure")


def _read_size(client: HttpClient, address: str) -> int:
    """Storage takes no range that counts from the end, so its length is asked first."""
    answer = client.send(HttpCall("HEAD", address, {"Accept-Encoding": "identity"}))
    if answer.status != 200:
        raise PermanentError(f"the log cannot be read: storage answered {answer.status}")
    length = answer.headers.get("content-length", "0")
    return int(length) if length.isdigit() else 0
