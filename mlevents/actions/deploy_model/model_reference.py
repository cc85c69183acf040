"""The model of a step: the one in the rule or, without it, the event's model."""

from typing import Annotated

from pydantic import AfterValidator

from mlevents.actions.action import StepContext
from mlevents.actions.endpoint_names import endpoint_name
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.resource_ids import ModelReference


def model_reference(text: str) -> str:
    """A model as `name:version` or by its id, checked when rules load unless it holds an expression."""
    if "${" not in text:
        try:
            ModelReference.parse(text)
        except PermanentError as error:
            raise ValueError(str(error)) from None
    return text


ModelText = Annotated[str, AfterValidator(model_reference)]
"""A model, checked when rules load unless it holds an expression."""


def _name_of_an_endpoint(text: str) -> str:
    if text and "${" not in text:
        try:
            endpoint_name(text)
        except PermanentError as error:
            raise ValueError(str(error)) from None
    return text


EndpointName = Annotated[str, AfterValidator(_name_of_an_endpoint)]
"""A name of an endpoint or deployment, checked when rules load unless it holds an expression."""


def find_model(reference: str | None, context: StepContext) -> ModelReference:
    """The model to deploy; raises PermanentError when neither rule nor event names one."""
    if reference:
        return ModelReference.parse(reference)
    if model := find_event_model(context):
        return model
    raise PermanentError(
        f"no model to deploy: the {context.event.type} event names none. Set the parameter `model` to "
        "name:version"
    )


def find_original(reference: str | None, context: StepContext) -> ModelReference:
    """The model that people registered: for a copy in another place, the event's model if it names one."""
    model = find_model(reference, context)
    is_copy = bool(model.registry or model.workspace)
    return (is_copy and find_event_model(context)) or model


def require_model(reference: str | None, workspace: str | None) -> None:
    """Raise PermanentError for a deployment in another workspace that names no model."""
    if workspace is not None and reference is None:
        raise PermanentError(
            "`workspace` needs `model`: the event's model is in another workspace. Copy it with share_model, "
            "and write `model: ${steps.ID.model}` with the id of that step"
        )


def find_event_model(context: StepContext) -> ModelReference | None:
    """The model that the event names, if it names one."""
    model = context.names.get("model") or {}
    name, version = str(model.get("name") or ""), str(model.get("version") or "")
    return ModelReference(name, version) if name and version else None
