"""The API does what its own document says: requests made from it, valid ones and others.

Most requests are those that schemathesis derives from the document for each operation, the same at each run;
the generated ones are few.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import Stage, stage

DOCUMENT = "v1/openapi.json"
UNSUPPORTED = "unsupported_method"
"""The Functions host answers 404, and not 405, to a method that no function has."""


@pytest.fixture
def operated() -> Iterator[Stage]:
    """A sandbox of its own: the requests hold rules and cancel responses."""
    with stage(speed=600) as running:
        yield running


def test_the_api_answers_as_its_document_says(operated: Stage, tmp_path: Path):
    for name in ("described", "described-too"):
        event = operated.drift_detected(name, 0.7)
        operated.deliver("DatasetDriftDetected", event)
        operated.settled(event_id=event["id"])
    api = f"{operated.ready['functions']}/api"
    document = requests.get(f"{api}/{DOCUMENT}", timeout=30).json()
    assert document["servers"] == [{"url": api}]
    assert document.pop("security") == [{"functionKey": []}]
    del document["components"]["securitySchemes"]  # the sandbox asks for no key, as Core Tools
    use_real_continuations(document, api)
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    options = ("--checks", "all", "--exclude-checks", UNSUPPORTED, "--max-examples", "8", "--seed", "1")
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        str(file),
        "--url",
        api,
        *options,
        "--no-color",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def use_real_continuations(document: Any, api: str) -> None:
    """Allow only texts of earlier answers, which no schema can describe, as `continuation`."""
    for path, methods in document["paths"].items():
        for one in methods.get("get", {}).get("parameters", ()):
            if one["name"] == "continuation":
                text = requests.get(f"{api}{path}", params={"limit": "1"}, timeout=30).json()["continuation"]
                one["schema"] = {"type": "string", "enum": [text]}
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Body") and "continuation" in schema.get("properties", {}):
            schema["properties"]["continuation"] = {"type": "null"}
