"""Start a workflow of GitHub Actions, once for each response, and follow its run.

```yaml
uses: dispatch_github_workflow
with:
  connection: ml-cd
  workflow: promote.yml
  ref: main
  inputs: {model: "${model.name}", version: "${model.version}"}
  wait: true
```

`event_type` raises a `repository_dispatch` event instead, for every workflow that waits for its type:

```yaml
uses: dispatch_github_workflow
with:
  connection: ml-cd
  event_type: model-registered
  client_payload: {model: "${model.name}", version: "${model.version}"}
```

A dispatch is not idempotent, so the step first stores its intent, and every attempt first looks for a run
whose name holds this step's key. The key is sent as the input `mlevents_response`, or as this key of the
payload. A workflow is recognised exactly when it shows the key in its `run-name`, and declares the input.
GitHub names the run in its answer; GitHub Enterprise Server may not.

When an answer is lost, the step looks for the run for a while before it sends again. Without the key in the
name, a run that began since then counts as ours when it is the only one at this branch by this actor.
What remains: without the key in the name, a host that is killed between the dispatch and its record sends
again; with it, only where GitHub does not list the run by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, JsonValue

from mlevents.actions.action import Action, Outcome, StepContext, action
from mlevents.actions.dispatch_github_workflow.dispatch import Dispatch, RepositoryEvent, WorkflowDispatch
from mlevents.actions.dispatch_github_workflow.parameters import (
    check_inputs,
    check_payload,
    check_workflow,
    require_size,
)
from mlevents.actions.dispatch_github_workflow.preflight import check_github_workflow
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.remote_run import write_input
from mlevents.actions.run_progress import advance_run
from mlevents.errors import PermanentError
from mlevents.services.connection import ConnectionName
from mlevents.services.finding import Finding
from mlevents.services.github.connection import GitHub
from mlevents.services.github.repository import Repository
from mlevents.services.services import Services
from mlevents.yamlfile.key_choice import KeyChoice

_Text = Annotated[str, Field(min_length=1)]


@action("dispatch_github_workflow")
class DispatchGithubWorkflow(Action):
    """Start a workflow of GitHub Actions; with `wait`, follow its run and fail when it fails."""

    key_choices: ClassVar[tuple[KeyChoice, ...]] = (
        KeyChoice("workflow", "ref", optional=("inputs",)),
        KeyChoice("event_type", optional=("client_payload",)),
    )
    leads_to: ClassVar[tuple[str, ...]] = ("model.registered", "run.completed", "run.status_changed")

    connection: Annotated[str, ConnectionName(("github",))]
    """name a connection of type `github`."""
    workflow: Annotated[_Text, AfterValidator(check_workflow)] | None = None
    """name the file of a workflow with `on: workflow_dispatch`, such as `promote.yml`."""
    ref: _Text | None = None
    """write the branch or tag whose workflow file is run, such as `main`."""
    inputs: Annotated[dict[str, JsonValue] | None, AfterValidator(check_inputs)] = None
    """Values for the inputs of the workflow, such as `{model: "${model.name}"}`."""
    event_type: Annotated[_Text, Field(max_length=100)] | None = None
    """write the type of a `repository_dispatch` event, such as `model-registered`."""
    client_payload: Annotated[dict[str, JsonValue] | None, AfterValidator(check_payload)] = None
    """What the event holds: at most ten keys, of which one is `mlevents_response`."""
    wait: bool = False
    """Follows the run to its end: any conclusion but `success` fails the step."""

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Store the intent, then find or start the run, then follow it: one of these in each attempt."""
        return advance_run(self._make_dispatch(context.key, services), context, wait=self.wait)

    def preflight(self, context: Preflight) -> Iterator[Finding]:
        """Read the workflow, and compare the inputs with those that it declares."""
        if self.workflow is not None and self.ref is not None:
            yield from check_github_workflow(
                lambda permissions: self._open(context.services, permissions),
                self.workflow,
                self.ref,
                self.inputs or {},
            )

    def _open(self, services: Services, permissions: Mapping[str, str] | None = None) -> Repository:
        found = services.connection(self.connection)
        if isinstance(found, GitHub):
            needed = {"contents": "write", "actions": "read"} if self.event_type else {"actions": "write"}
            return found.open(services, permissions or needed)
        raise PermanentError(f"the connection '{self.connection}' is not of type github: name one that is")

    def _make_dispatch(self, key: str, services: Services) -> Dispatch:
        if self.workflow is not None and self.ref is not None:
            inputs = {name: write_input(value) for name, value in (self.inputs or {}).items()}
            require_size(inputs, "inputs")
            return WorkflowDispatch(self._open(services), key, self.workflow, self.ref, inputs)
        payload = self.client_payload or {}
        require_size(payload, "client_payload")
        return RepositoryEvent(self._open(services), key, self.event_type or "", payload)
