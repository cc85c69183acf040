"""What a gate changes of a response before its steps: names, the parameters of later gates, the depth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlevents.orchestration.step_errors import StepFailedError
from mlevents.responses.operated_response import OperatedResponse
from mlevents.responses.step_serialization import find_missing_value


class ResponseChanges:
    """The changes of one response, as `mlevents.gates.visit` promises them."""

    _operated: OperatedResponse

    def give_names(self, names: Mapping[str, Any]) -> None:
        response = self._operated.response
        event = replace(response.event, names={**response.event.names, **names})
        self._operated.response = replace(response, event=event)
        if missing := find_missing_value(response.steps, event):
            raise StepFailedError(missing)

    def deepen(self, depth: int) -> None:
        self._operated.response = replace(self._operated.response, depth=depth)

    def give_gates(self, gates: Mapping[str, Any]) -> None:
        response = self._operated.response
        self._operated.response = replace(response, gates={**response.gates, **gates})
