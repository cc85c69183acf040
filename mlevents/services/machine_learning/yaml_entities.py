"""Documents in the Azure ML CLI v2 schemas, turned into the SDK's entities."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from mlevents.errors import PermanentError
from mlevents.services.sdk_errors import clean_text


def load_entity(loader: Callable[..., Any], document: Mapping[str, Any], what: str) -> Any:
    """The entity that azure-ai-ml's `loader` makes of a document; raises PermanentError if none.

    The loaders take YAML alone, so the document is written out for them once more.
    """
    from marshmallow.exceptions import ValidationError

    try:
        return loader(io.StringIO(yaml.safe_dump(dict(document), sort_keys=False)))
    except ValidationError as error:
        raise PermanentError(clean_text(f"{what}: Azure ML's schema refuses it: {error}")) from error
