"""What a model answers: numbers that follow from its name, its version and the request alone."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def named_model(reference: str) -> Mapping[str, str]:
    """The name and version in a model's resource id."""
    parts = reference.split("/")
    if "versions" in parts:
        return {"model": parts[-3], "version": parts[-1]}
    return {"model": parts[-1], "version": ""}


def predictions(reference: str, raw: bytes) -> list[float]:
    """One number for each row of a request."""
    content = json.loads(raw)
    rows = content.get("input_data", content.get("data")) if isinstance(content, dict) else content
    rows = rows.get("data", [rows]) if isinstance(rows, dict) else rows
    return [_prediction(reference, row) for row in (rows if isinstance(rows, list) else [rows])]


def _prediction(reference: str, row: Any) -> float:
    digest = hashlib.sha256(f"{reference} {json.dumps(row, sort_keys=True)}".encode()).digest()
    return int.from_bytes(digest[:2]) / 0xFFFF
