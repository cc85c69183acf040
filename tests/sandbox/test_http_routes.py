"""Which function of the app answers a request, in the order in which the host tries the routes."""

import re
from collections.abc import Mapping
from typing import Any

import azure.functions as func
import pytest

from mlevents import register
from sandbox.host.http_routes import HttpRoute, sort_routes
from sandbox.worker.function import Function


def route_function(name: str, route: str, *methods: str) -> Function:
    binding = {"type": "httpTrigger", "name": "req", "route": route, "methods": list(methods)}
    return Function(name, name, (binding,))


def find_answering(routes: list[HttpRoute], method: str, path: str) -> str | None:
    return next((one.function for one in routes if one.match(method, path) is not None), None)


def our_triggers() -> dict[str, Mapping[str, Any]]:
    app = register(func.FunctionApp())
    found = {one.get_function_name(): one.get_trigger().get_dict_repr() for one in app.get_functions()}
    return {str(name): one for name, one in found.items() if one["type"] == "httpTrigger"}


@pytest.mark.parametrize(("literal", "answers"), [("Apple", "Apple"), ("zebra", "Middle")])
def test_a_parameter_before_a_literal_route_answers_for_it(literal: str, answers: str):
    routes = sort_routes([route_function("Middle", "v1/{id}"), route_function(literal, "v1/text")])
    assert find_answering(routes, "GET", "/v1/text") == answers


def test_another_method_leaves_the_request_to_the_next_route():
    routes = sort_routes([route_function("a", "v1/{id}", "POST"), route_function("b", "v1/text", "GET")])
    assert find_answering(routes, "GET", "/v1/text") == "b"


def test_no_route_of_ours_answers_for_another():
    triggers = our_triggers()
    routes = sort_routes(Function(name, name, (one,)) for name, one in triggers.items())
    assert len(routes) > 10
    for name, one in triggers.items():
        path = "/" + re.sub(r"\{[^}]*\}", "some-text", str(one["route"]))
        for method in one["methods"]:
            assert find_answering(routes, str(getattr(method, "value", method)).upper(), path) == name
