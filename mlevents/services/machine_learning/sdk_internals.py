"""The private members of azure-ai-ml that mlevents uses; no other module may use one.

azure-ai-ml has no public method that turns a CLI v2 document into the body that Resource Manager expects,
without also uploading files and polling in a thread.
"""

from __future__ import annotations

from typing import Any

from mlevents.errors import PermanentError

TO_REST_OBJECT = "_to_rest_object"
"""Of `ManagedOnlineDeployment`: the REST object for a region."""


def rest_body(deployment: Any) -> dict[str, Any]:
    """The body of a deployment's PUT, without a region; raises PermanentError when the SDK has changed."""
    convert = getattr(deployment, TO_REST_OBJECT, None)
    if convert is None:
        raise PermanentError(
            f"the installed azure-ai-ml has no {type(deployment).__name__}.{TO_REST_OBJECT}: "
            "install the version in requirements.txt"
        )
    body: dict[str, Any] = convert(location="").as_dict(exclude_readonly=True)
    del body["location"]
    return body
