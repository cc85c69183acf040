"""Call an HTTP service, and read values of its answer for later steps.

```yaml
uses: call_http
with:
  connection: model-catalogue
  method: POST
  path: models
  json: {name: "${model.name}", version: "${model.version}", stage: "${model.tags.stage}"}
  expect: [200, 201]
  result: {ticket: "$.id"}              # a JSONPath; later steps read ${steps.call_http.ticket}
```

The address begins with the connection's `base`. Each call has the header `Idempotency-Key`, the same at every
attempt of one step: a service that honours it does the work once. A lost answer, 408, 409, 425, 429 and 5xx
are retried, as `Retry-After` says; any other status that `expect` does not list fails the step, and 2 KB of
the answer are kept in the response. `cloudevent: true` sends the event, or `json`, as a CloudEvent 1.0.

`wait` follows work that goes on after the answer: the service answers with `Location`, which is polled until
the value at `poll` is in `until`.

```yaml
uses: call_http
with:
  connection: model-catalogue
  path: validations
  json: {model: "${model.name}:${model.version}"}
  wait: {poll: "$.status", until: [passed], fail: [rejected], timeout: 2h}
  result: {report: "$.report.url"}
```

With `wait: {callback: true}` the call has the header `Mlevents-Callback-Url`: a signed address that needs no
key and works once. A POST of a JSON object to it ends the step, and `result` reads that object.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

from pydantic import AfterValidator, Field, JsonValue, model_validator

from mlevents.actions.action import Action, ConnectionName, Done, Outcome, StepContext, action
from mlevents.actions.call_http.answer_values import read_json_paths
from mlevents.actions.call_http.parameters import (
    SUCCESS,
    ExpectedStatus,
    Path,
    Wait,
    check_call_headers,
    check_results,
)
from mlevents.actions.call_http.work import (
    await_callback,
    end_by_callback,
    find_location,
    has_work_ended,
    read_work_status,
    wait_for_work,
)
from mlevents.actions.cloud_event import MEDIA_TYPE, make_cloud_event
from mlevents.errors import PermanentError
from mlevents.orchestration.callback import make_callback_address, make_callback_token
from mlevents.services.http.answers import read_json_answer, require_status
from mlevents.services.http.connection import Http
from mlevents.services.http.http_client import HttpAnswer, HttpCall
from mlevents.services.services import Services

type Send = Callable[[HttpCall], HttpAnswer]
ACCEPTED = 202
CALLBACK_HEADER = "Mlevents-Callback-Url"
ACCEPT = {"Accept": "application/json", "Accept-Encoding": "identity"}


@action("call_http")
class CallHttp(Action):
    """Call an HTTP service; with `wait`, follow its work to the end."""

    connection: Annotated[str, ConnectionName(("http",))]
    """name a connection of type `http`."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    """The method of the call."""
    path: str = ""
    """Where below the connection's `base`, such as `models/${model.name}`."""
    query: dict[str, JsonValue] = Field(default_factory=dict)
    """The query of the address, such as `{version: "${model.version}"}`."""
    headers: Annotated[dict[str, str], AfterValidator(check_call_headers)] = Field(default_factory=dict)
    """Headers of this call, besides those of the connection."""
    json_: Annotated[JsonValue, Field(alias="json")] = None
    """The body, as JSON; a text that is one `${…}` alone keeps its type."""
    cloudevent: bool = False
    """Sends a CloudEvent 1.0 whose data is `json`, or the event when that is left out."""
    expect: Annotated[list[ExpectedStatus], Field(min_length=1)] | None = None
    """The statuses of success; every 2xx when left out."""
    result: Annotated[dict[str, Path], AfterValidator(check_results)] = Field(default_factory=dict)
    """Names for later steps, each with the JSONPath of its value in the last answer."""
    wait: Wait | None = None
    """Follows work that goes on after the answer, by polling its `Location`."""

    @model_validator(mode="after")
    def _body(self) -> Self:
        if self.method in ("GET", "DELETE") and (self.json_ is not None or self.cloudevent):
            raise ValueError(f"a {self.method} has no body: remove `json` and `cloudevent`, or use POST")
        if self.wait and self.wait.field and not isinstance(self.json_, dict):
            raise ValueError(f"wait.field '{self.wait.field}' needs a map as `json`: write one, or remove it")
        return self

    @classmethod
    def select_names(cls, written: Mapping[str, Any], names: Mapping[str, Any]) -> Mapping[str, Any]:
        sends_event = written.get("cloudevent") and "json" not in written
        return (
            {root: names[root] for root in names if root not in ("steps", "failure")} if sends_event else {}
        )

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Call, or look how far the work is."""
        if self.wait is not None and self.wait.callback and "awaits" in context.progress:
            return end_by_callback(self.wait, self.result, context.progress)
        connection = services.connection(self.connection)
        if not isinstance(connection, Http):
            raise PermanentError(f"the connection '{self.connection}' is not of type http: name one that is")
        send = self._sender(connection, context, services)
        if self.wait is not None and "location" in context.progress:
            return self._poll(send, self.wait, context.progress)
        callback = self._make_callback(context, services)
        return self._call(send, connection.address(services, self.path), context, callback)

    def _sender(self, connection: Http, context: StepContext, services: Services) -> Send:
        def send(call: HttpCall) -> HttpAnswer:
            now = datetime.now(UTC)
            authenticated = connection.authenticate(call, context.key, services, now)
            return connection.client(services).send(authenticated)

        return send

    def _make_callback(self, context: StepContext, services: Services) -> str | None:
        """The address at which the service ends the step, where the step waits for that."""
        if self.wait is None or not self.wait.callback:
            return None
        if not services.settings.secret:
            raise PermanentError("a callback needs the app setting MLEVENTS_SECRET: set it")
        token = make_callback_token(services.settings.secret, context.key)
        return make_callback_address(services.settings.find_address(), context.id, context.step, token)

    def _call(self, send: Send, address: str, context: StepContext, callback: str | None) -> Outcome:
        call = self._make_call(address, context, callback)
        answer = send(call)
        place = f"{call.method} {address}"
        require_status(answer, place, self.expect or SUCCESS)
        said = f"{place} answered {answer.status}"
        if self.wait is not None and callback:
            return await_callback(self.wait, context.step, said)
        if self.wait is None or (answer.status != ACCEPTED and has_work_ended(self.wait, answer)):
            return Done(said, self._results(answer))
        return wait_for_work(self.wait, answer, said, {"location": find_location(answer, place)})

    def _make_call(self, address: str, context: StepContext, callback: str | None) -> HttpCall:
        if self.query:
            address = f"{address}?{urlencode(self.query, doseq=True)}"
        body = self.json_
        if callback and self.wait and self.wait.field and isinstance(body, dict):
            body = {**body, self.wait.field: callback}
        if self.cloudevent:
            body = make_cloud_event(context, self._data(context) if body is None else body)
        headers = {**ACCEPT, **self.headers, "Idempotency-Key": context.key}
        if callback:
            headers[CALLBACK_HEADER] = callback
        if body is None:
            return HttpCall(self.method, address, headers)
        headers["Content-Type"] = MEDIA_TYPE if self.cloudevent else "application/json"
        return HttpCall(self.method, address, headers, json.dumps(body, allow_nan=False).encode())

    def _data(self, context: StepContext) -> Any:
        return {root: value for root, value in context.names.items() if root not in ("steps", "failure")}

    def _poll(self, send: Send, wait: Wait, progress: Mapping[str, Any]) -> Outcome:
        location = str(progress["location"])
        answer = send(HttpCall("GET", location, ACCEPT))
        place = f"GET {location.partition('?')[0]}"
        require_status(answer, place, SUCCESS)
        said = f"{place}: {read_work_status(wait, answer)}"
        if has_work_ended(wait, answer):
            return Done(said, self._results(answer))
        return wait_for_work(wait, answer, said, progress)

    def _results(self, answer: HttpAnswer) -> dict[str, Any]:
        values = read_json_paths(self.result, read_json_answer(answer)) if self.result else {}
        return {**values, "status": answer.status}
