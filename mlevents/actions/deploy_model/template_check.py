"""Checks a deployment template before a rule needs it: what Azure ML refuses, and the limit of instances."""

from itertools import islice

from mlevents.actions.deploy_model.instance_limit import InstanceLimit
from mlevents.actions.deploy_model.parameters import Limits
from mlevents.actions.documents import SHOWN_PROBLEMS, parse_placed_document
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.deployment_translation import find_deployment_faults


def check_deployment_template(name: str, text: str, limits: Limits | None) -> None:
    """Raise PermanentError with the first faults of a template, each with its line."""
    document = parse_placed_document(name, text)
    faults = islice(find_deployment_faults(document.value), SHOWN_PROBLEMS)
    if problems := [str(document.problem(path, fault)) for path, fault in faults]:
        raise PermanentError("; ".join(problems))
    if limits:
        InstanceLimit(limits.instances, None).check_template(name, document.value)
