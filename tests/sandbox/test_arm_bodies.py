"""What the sandbox accepts agrees with the published resource schemas, on recorded bodies and wrong ones."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from sandbox.azure.errors import ArmError
from sandbox.azure.request_bodies import SCHEMAS, check_body
from sandbox.azure.validation import SCHEMA_FOLDER

DATA = Path(__file__).parents[1] / "data" / "azure"
PROVIDER = "Microsoft.MachineLearningServices"
NAMES = {
    "onlineEndpoints": "workspaces_onlineEndpoints",
    "onlineEndpoints/deployments": "workspaces_onlineEndpoints_deployments",
    "jobs": "workspaces_jobs",
    "models": "workspaces_models_versions",
    "components": "workspaces_components_versions",
    "environments": "workspaces_environments_versions",
    "codes": "workspaces_codes_versions",
}
MODEL = {
    "properties": {
        "modelUri": "azureml://jobs/train-7/outputs/artifacts/paths/model",
        "modelType": "mlflow_model",
        "tags": {"stage": "production"},
        "properties": {"flavor": "sklearn"},
        "isAnonymous": False,
        "description": "a model",
    }
}


@cache
def schemas() -> dict[str, Any]:
    """The published resource schemas by API version, and the definitions that they share."""
    return json.loads((DATA / "arm_schemas.json").read_text())


@cache
def validator(kind: str, version: str) -> Draft4Validator:
    resources = [(one["id"].rstrip("#"), DRAFT4.create_resource(one)) for one in schemas().values()]
    reference = {"$ref": f"{schemas()[version]['id'].rstrip('#')}#/resourceDefinitions/{NAMES[kind]}"}
    return Draft4Validator(reference, registry=Registry[Any]().with_resources(resources))


def published(kind: str, version: str, body: dict[str, Any]) -> bool:
    of_type = f"{PROVIDER}/{NAMES[kind].replace('_', '/')}"
    whole = {**body, "name": "some-name", "apiVersion": version, "type": of_type}
    return validator(kind, version).is_valid(whole)


def ours(kind: str, body: Any) -> bool:
    try:
        check_body(kind, body)
    except ArmError:
        return False
    return True


def samples() -> list[tuple[str, str, dict[str, Any]]]:
    recorded = json.loads((DATA / "recorded_bodies.json").read_text())
    return [(one["kind"], one["version"], one["body"]) for one in recorded] + [
        ("models", "2023-08-01-preview", MODEL)
    ]


def wrong_bodies(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The body with one property left out, or holding a value of another type."""
    for path in list(paths(body)):
        for what, change in (("left out", None), ("an object", {"a": {}}), ("a text", "%"), ("a list", [1])):
            other = copy.deepcopy(body)
            parent = other
            for key in path[:-1]:
                parent = parent[key]
            if change is None:
                del parent[path[-1]]
            else:
                parent[path[-1]] = change
            yield f"{'.'.join(path)} {what}", other


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield (*path, key)
            yield from paths(member, (*path, key))


def test_recorded_bodies_are_accepted() -> None:
    assert [sample for sample in samples() if not ours(sample[0], sample[2])] == []


def test_wrong_bodies_are_refused_where_the_schemas_refuse_them() -> None:
    judged, disagreements = 0, []
    for kind, version, body in samples():
        if kind == "codes":  # the SDK itself sends a number where the schema wants a text
            continue
        for what, wrong in [("as recorded", body), *wrong_bodies(body)]:
            judged += 1
            if ours(kind, wrong) != published(kind, version, wrong):
                disagreements.append(f"{kind} {version}: {what}: ours {ours(kind, wrong)}")
    assert disagreements == []
    assert judged > 500


def test_every_kind_of_body_has_a_rule() -> None:
    assert set(NAMES) <= set(SCHEMAS)


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("models", [], "not a JSON object"),
        ("models", {"properties": {}, "colour": "red"}, "'colour' on object of type 'ResourceDefinition'"),
        ("models", {"properties": {"tags": {"a": 1}}}, "'properties.tags.a' must be a text, not a number"),
        ("onlineEndpoints", {"properties": {"authMode": "Key"}}, "location property is required"),
        (
            "onlineEndpoints",
            {"location": "westeurope", "properties": {}},
            "'properties.authMode' is required",
        ),
        ("jobs", {"properties": {"jobType": "Pipe"}}, "'properties.jobType' is 'Pipe': allowed values are"),
    ],
)
def test_a_refusal_names_the_property(kind: str, body: Any, said: str) -> None:
    with pytest.raises(ArmError, match=re.escape(said)) as refused:
        check_body(kind, body)
    assert refused.value.status == 400


def test_tags_of_a_resource_with_a_location_have_limits() -> None:
    def endpoint(tags: dict[str, str]) -> dict[str, Any]:
        return {"location": "westeurope", "properties": {"authMode": "Key"}, "tags": tags}

    assert ours("onlineEndpoints", endpoint({"mlevents.event": "x" * 256}))
    assert not ours("onlineEndpoints", endpoint({"mlevents.event": "x" * 257}))
    assert not ours("onlineEndpoints", endpoint({"a/b": "x"}))
    assert not ours("onlineEndpoints", endpoint({f"t{number}": "x" for number in range(51)}))


def test_every_schema_names_its_origin_and_is_valid() -> None:
    for file in SCHEMA_FOLDER.glob("*.json"):
        schema = json.loads(file.read_text())
        Draft7Validator.check_schema(schema)
        assert schema["$comment"], file.name
    resources = [
        json.loads(file.read_text()) for file in SCHEMA_FOLDER.glob("*.json") if file.stem in SCHEMAS.values()
    ]
    assert all(re.search(r"API version \d{4}-\d{2}-\d{2}", schema["$comment"]) for schema in resources)
