"""The SDK's entities for documents in the Azure ML CLI v2 schemas."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from mlevents.errors import PermanentError
from mlevents.services.sdk_errors import clean_text


def load_entity(loader: Callable[..., Any], document: Mapping[str, Any], what: str) -> Any:
    """Load a document with a loader of azure-ai-ml; raises PermanentError when it refuses that.

    The loaders accept only YAML, so the document is written as YAML again.
    """
    from marshmallow.exceptions import ValidationError

    try:
        return loader(io.StringIO(yaml.safe_dump(dict(document), sort_keys=False)))
    except ValidationError as error:
        raise PermanentError(
            clean_text(f"{what}: the document does not match Azure ML's schema: {error}")
        ) from error
