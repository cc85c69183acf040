"""Preflight checks of `run_devops_pipeline`: the pipeline, and its parameters as Azure DevOps checks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlevents.actions.remote_run import KEY_INPUT
from mlevents.actions.run_devops_pipeline.pipeline_start import PipelineStart
from mlevents.actions.unresolved_parameters import is_unresolved
from mlevents.errors import ActionError, ConfigError, PermanentError, RefusedError
from mlevents.services.azure_devops.pipelines import preview_run
from mlevents.services.finding import Finding
from mlevents.services.sdk_errors import clean_text


def check_devops_pipeline(name: str, make_start: Callable[[], PipelineStart]) -> Iterator[Finding]:
    """Check whether the pipeline exists, and takes the parameters; a preview starts no run."""
    about = f"pipeline '{name}'"
    try:
        start = make_start()
        start.read_time()
    except PermanentError as error:
        yield Finding(about, False, clean_text(str(error)), "create or enable it, or correct `pipeline`")
        return
    except (ActionError, ConfigError) as error:
        yield Finding(about, False, clean_text(str(error)), "run doctor again later")
        return
    yield from _check_values(about, start)


def _check_values(about: str, start: PipelineStart) -> Iterator[Finding]:
    try:
        preview_run(start.project, start.pipeline.id, start.make_body(marked=True))
    except RefusedError as error:
        if not start.lacks_key_input(error):
            yield _describe_refusal(about, start, error)
            return
        said = f"declares no parameter '{KEY_INPUT}': after a lost answer its run is not recognised"
        yield Finding(about, None, said, f"declare the parameter {KEY_INPUT} (string, default '')")
    except ActionError as error:
        said = clean_text(f"its parameters were not checked: {error}")
        yield Finding(about, None, said, "run doctor again later")
        return
    yield Finding(about, True, f"exists, {start.pipeline.status}")


def _describe_refusal(about: str, start: PipelineStart, error: RefusedError) -> Finding:
    """A refusal counts only where no value comes from an event."""
    values = [*start.parameters.values(), *start.variables.values(), start.ref or ""]
    ok = None if any(map(is_unresolved, values)) else False
    return Finding(about, ok, clean_text(str(error)), "correct `parameters`, `variables` or `ref`")
