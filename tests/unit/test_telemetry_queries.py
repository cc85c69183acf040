"""The queries, the workbook and the docs ask only for what the app tells, and all in the same words."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from mlevents import telemetry
from mlevents.telemetry import instruments as instrument_module

ROOT = Path(__file__).resolve().parents[2]
QUERIES = {file.stem: file.read_text().rstrip("\n") for file in (ROOT / "infra" / "queries").glob("*.kql")}
WORKBOOK = json.loads((ROOT / "infra" / "workbook.json").read_text())

ITEM: dict[str, set[str]] = {  # learn.microsoft.com/azure/azure-monitor/app/data-model-complete
    "customMetrics": {"name", "valueSum", "valueCount", "valueMin", "valueMax"},
    "traces": {"message", "severityLevel"},
    "requests": {"name", "success", "resultCode", "duration", "itemCount"},
    "dependencies": {"name", "success", "resultCode", "duration", "target"},
    "exceptions": {"outerMessage", "type"},
}
EVERYWHERE = {"timestamp", "itemType", "operation_Id", "customDimensions"}
WORDS = """
where extend project summarize by order asc desc distinct union let and or not in startswith true false
sum max bin 1h coalesce isnotempty todouble tostring
"""
LANGUAGE = set(WORDS.split())
LABELS = {  # what the tests of mlevents.telemetry see counted
    "mlevents.events": {"type", "outcome"},
    "mlevents.matches": {"rule"},
    "mlevents.responses": {"rule", "status"},
    "mlevents.response.duration": {"rule", "status"},
    "mlevents.quarantined": set[str](),
    "mlevents.unstored": {"status"},
    "mlevents.swept": {"what"},
}
ATTRIBUTES = {value for name, value in vars(telemetry).items() if name.isupper() and isinstance(value, str)}
SHAPE = {  # after github.com/microsoft/Application-Insights-Workbooks, schema/workbook.json
    "type": "object",
    "required": ["version", "items", "$schema"],
    "properties": {"version": {"const": "Notebook/1.0"}, "items": {"type": "array", "items": {"anyOf": []}}},
}
CONTENTS: dict[int, dict[str, Any]] = {
    1: {"json": {"type": "string"}},
    3: {"version": {"const": "KqlItem/1.0"}, "query": {"type": "string"}, "queryType": {"const": 0}},
    9: {"version": {"const": "KqlParameterItem/1.0"}, "parameters": {"type": "array"}},
    10: {"version": {"const": "MetricsItem/2.0"}, "metrics": {"type": "array"}, "resourceType": {}},
}

named = pytest.mark.parametrize("name", sorted(QUERIES))


def bare(query: str) -> str:
    """The query without its comments."""
    return re.sub(r"^//.*$", "", query, flags=re.MULTILINE)


def items(kind: int) -> list[dict[str, Any]]:
    return [item for item in WORKBOOK["items"] if item["type"] == kind]


def instruments() -> Iterator[str]:
    """The metrics that the module makes."""
    for node in ast.walk(ast.parse(Path(instrument_module.__file__).read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_meter.create_"):
            yield ast.literal_eval(node.args[0])


def test_these_are_the_metrics_of_the_app():
    assert set(instruments()) == set(LABELS)


@named
def test_a_query_asks_for_metrics_and_dimensions_that_are_told(name: str):
    query = bare(QUERIES[name])
    metrics = set(re.findall(r'name == "([^"]+)"', query))
    assert metrics <= set(LABELS)
    assert bool(metrics) == ("customMetrics" in query)
    known = set[str]().union(*(LABELS[metric] for metric in metrics))
    assert set(re.findall(r"customDimensions\.(\w+)", query)) <= known
    assert set(re.findall(r'customDimensions\["([^"]+)"\]', query)) <= ATTRIBUTES


@named
def test_a_query_names_only_columns_that_are_there(name: str):
    query = re.sub(r'"[^"]*"', "", bare(QUERIES[name]))
    tables = {table for table in ITEM if re.search(rf"\b{table}\b", query)}
    assert tables
    own = set(re.findall(r"\b(\w+) = ", query))
    words = set(re.findall(r"(?<!\.)\b[A-Za-z1]\w*", query))
    known = EVERYWHERE.union(LANGUAGE, own, tables, *(ITEM[table] for table in tables))
    labels = set(re.findall(r"customDimensions\.(\w+)", query))
    assert words - known - labels == set()


@named
def test_brackets_are_closed_and_a_comment_says_what_for(name: str):
    query = QUERIES[name]
    assert query.startswith("// ")
    assert all(query.count(a) == query.count(b) for a, b in ("()", "[]", "{}"))


def test_the_workbook_has_the_shape_of_one():
    kinds = [
        {
            "required": ["type", "content", "name"],
            "properties": {
                "type": {"const": kind},
                "content": {"type": "object", "required": list(content), "properties": content},
            },
        }
        for kind, content in CONTENTS.items()
    ]
    shape = json.loads(json.dumps(SHAPE))
    shape["properties"]["items"]["items"]["anyOf"] = kinds
    assert [error.message for error in Draft7Validator(shape).iter_errors(WORKBOOK)] == []
    names = [item["name"] for item in WORKBOOK["items"]]
    assert len(names) == len(set(names))


def test_the_workbook_shows_every_query_in_its_own_words():
    shown = {item["name"]: item["content"]["query"] for item in items(3)}
    assert shown == QUERIES


def test_every_parameter_of_the_workbook_is_defined():
    defined = {one["name"] for item in items(9) for one in item["content"]["parameters"]}
    used = {
        item["content"][key]
        for item in [*items(3), *items(10)]
        for key in ("timeContextFromParameter", "resourceParameter")
        if key in item["content"]
    }
    used |= {name for query in QUERIES.values() for name in re.findall(r"\{(\w+)\}", query)}
    assert used == defined


def test_the_workbook_shows_event_grids_dead_letters():
    [item] = items(10)
    metrics = {one["metric"] for one in item["content"]["metrics"]}
    assert "microsoft.eventgrid/systemtopics--DeadLetteredCount" in metrics


def test_operations_shows_some_of_the_same_queries():
    text = (ROOT / "docs" / "operations.md").read_text()
    blocks = [block.strip() for block in re.findall(r"```kusto\n(.*?)\n```", text, re.DOTALL)]
    assert len(blocks) >= 3
    assert set(blocks) <= {query.strip() for query in QUERIES.values()}


def test_the_docs_show_the_same_queries():
    text = (ROOT / "docs" / "observability.md").read_text()
    blocks = re.findall(r"`infra/queries/([\w-]+)\.kql`[^\n]*\n\n```kusto\n(.*?)\n```", text, re.DOTALL)
    assert dict(blocks) == QUERIES
    assert all(f"`{metric}`" in text for metric in LABELS)
    assert all(f"`{name}`" in text for name in ATTRIBUTES if name.startswith("mlevents."))
