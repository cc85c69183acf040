"""Preflight checks of `run_data_factory_pipeline`: the pipeline, its parameters, and the rights."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlevents.actions.unresolved_parameters import is_unresolved, report_unresolved
from mlevents.errors import ActionError, ConfigError, PermanentError
from mlevents.registry import did_you_mean
from mlevents.services.data_factory.factory_client import Factory
from mlevents.services.data_factory.states import Pipeline
from mlevents.services.finding import Finding
from mlevents.services.permission import DATA_FACTORY_CONTRIBUTOR, Permission, actions_below
from mlevents.services.sdk_errors import clean_text

FACTORY_RIGHTS = (
    Permission(
        "data_factory",
        DATA_FACTORY_CONTRIBUTOR,
        actions_below(
            "Microsoft.DataFactory/factories",
            "pipelines/createrun/action",
            "pipelines/read",
            "pipelineruns/read",
            # Microsoft's list of operations names both, and refusals have named either.
            "querypipelineruns/action",
            "querypipelineruns/read",
        ),
    ),
)
MARK_PARAMETER = "mlevents_response"
READ = "Microsoft.DataFactory/factories/pipelines/read"


def check_factory_pipeline(
    open_factory: Callable[[], Factory], name: str, given: Mapping[str, Any]
) -> Iterator[Finding]:
    """Check whether the pipeline exists and declares the parameters of the rule."""
    about = f"pipeline '{name}'"
    if is_unresolved(name):
        yield report_unresolved("pipeline", name)
        return
    try:
        found = open_factory().pipeline(name)
    except PermanentError as error:
        yield Finding(
            about, False, clean_text(str(error)), "create and publish the pipeline, or correct `pipeline`"
        )
        return
    except (ActionError, ConfigError) as error:
        yield Finding(about, False, clean_text(str(error)), "run doctor again later")
        return
    yield from _check_parameters(about, found, given)


def _check_parameters(about: str, found: Pipeline, given: Mapping[str, Any]) -> Iterator[Finding]:
    if found.parameters is None:
        yield Finding(about, None, "its parameters cannot be read", f"allow {READ}")
        return
    faults = list(_faults(about, found.parameters, found.required, given))
    yield from faults
    if MARK_PARAMETER not in found.parameters:
        said = f"it has no parameter '{MARK_PARAMETER}', so each run with equal parameters counts as its own"
        yield Finding(about, None, said, f"declare {MARK_PARAMETER} (String) in the pipeline, and publish it")
    if not faults:
        yield Finding(about, True, "exists, and declares the parameters that the rule gives")


def _faults(
    about: str, declared: frozenset[str], required: frozenset[str], given: Mapping[str, Any]
) -> Iterator[Finding]:
    for name in given:
        if name not in declared and name != MARK_PARAMETER:
            near = did_you_mean(name, declared)
            said = f"declares no parameter '{name}'{near}"
            yield Finding(about, False, said, "declare and publish it, or take it out of `parameters`")
    for name in sorted(required - given.keys()):
        said = f"its parameter '{name}' has no default value, and the rule gives none"
        yield Finding(about, False, said, "add it to `parameters`, or give it a default value")
