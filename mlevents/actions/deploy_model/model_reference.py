"""The model of a step: the one in the rule or, without it, the event's model."""

from typing import Annotated

from pydantic import AfterValidator

from mlevents.actions.action import StepContext
from mlevents.actions.endpoint_names import endpoint_name
from mlevents.errors import PermanentError


def model_reference(text: str) -> str:
    """A model as `name:version`, checked when rules load unless it holds an expression."""
    if "${" not in text and not all(text.rpartition(":")):
        raise ValueError(f"'{text}' has no model version: write name:version")
    return text


def _name_of_an_endpoint(text: str) -> str:
    if text and "${" not in text:
        try:
            endpoint_name(text)
        except PermanentError as error:
            raise ValueError(str(error)) from None
    return text


EndpointName = Annotated[str, AfterValidator(_name_of_an_endpoint)]
"""A name of an endpoint or deployment, checked when rules load unless it holds an expression."""


def find_model(reference: str | None, context: StepContext) -> tuple[str, str]:
    """The model's name and version; raises PermanentError when neither rule nor event names one."""
    if reference:
        name, _, version = reference.rpartition(":")
    else:
        model = context.names.get("model") or {}
        name, version = str(model.get("name") or ""), str(model.get("version") or "")
    if name and version:
        return name, version
    raise PermanentError(
        f"no model to deploy: the {context.event.type} event names none. Set the parameter `model` to "
        f"name:version{f', not {reference}' if reference else ''}"
    )
