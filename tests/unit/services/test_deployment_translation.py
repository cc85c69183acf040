"""A translated deployment is the body that azure-ai-ml sends, or there is none; what it refuses is found."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlevents.services.machine_learning.deployment_translation import (
    DEPLOYMENT_FIELDS,
    OTHER_FIELDS,
    find_deployment_faults,
    translate_deployment,
)
from mlevents.services.machine_learning.sdk_internals import rest_body
from mlevents.services.machine_learning.yaml_entities import load_entity

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml's own, on import

COUNTS = st.integers(1, 2**31)
TEXTS = st.text(min_size=1, max_size=8)
MAPS = st.dictionaries(TEXTS, TEXTS, max_size=3)
PROBES = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(1, 200_000)
        for name in ("initial_delay", "period", "timeout", "success_threshold", "failure_threshold")
    },
)
"""Values that the documentation allows, by key."""
ALLOWED: dict[str, st.SearchStrategy[Any]] = {
    "description": TEXTS,
    "properties": MAPS,
    "environment": st.sampled_from(
        (
            "azureml:sklearn-1.5:7",
            "azureml:sklearn_env@latest",
            "azureml:AzureML-sklearn-1.5:3",
            "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
        )
    ),
    "environment_variables": MAPS,
    "code_configuration": st.just({"code": "azureml:scoring:2", "scoring_script": "score.py"}),
    "instance_type": st.sampled_from(("Standard_DS3_v2", "Standard_NC6s_v3")),
    "app_insights_enabled": st.booleans(),
    "model_mount_path": st.just("/var/model"),
    "scale_settings": st.just({"type": "default"}),
    "request_settings": st.fixed_dictionaries(
        {},
        optional={
            "request_timeout_ms": st.integers(1, 10**8),
            "max_concurrent_requests_per_instance": COUNTS,
            "max_queue_wait_ms": st.integers(1, 10**8),
        },
    ),
    "liveness_probe": PROBES,
    "readiness_probe": PROBES,
    "egress_public_network_access": st.sampled_from(("enabled", "disabled")),
}
OUTSIDE = {"instance_count": COUNTS, "$schema": TEXTS, "type": st.just("managed"), "tags": MAPS}
STRANGE = st.none() | st.booleans() | st.integers(-1, 1) | st.floats() | TEXTS | st.lists(TEXTS, max_size=1)
KEYS = (
    *ALLOWED,
    *OUTSIDE,
    *(OTHER_FIELDS.keys() - {"name", "endpoint_name", "model"}),
    "resources",
    "no_such_key",
)


def convert(document: dict[str, Any]) -> dict[str, Any]:
    """The body as azure-ai-ml makes it; raises PermanentError for what it refuses."""
    from azure.ai.ml import load_online_deployment

    named = {**document, "name": "blue", "endpoint_name": "fraud"}
    return rest_body(load_entity(load_online_deployment, named, "loading"))


def test_each_translated_key_is_compared() -> None:
    assert ALLOWED.keys() == DEPLOYMENT_FIELDS.keys()


@given(st.fixed_dictionaries({}, optional={**ALLOWED, **OUTSIDE}), ALLOWED["instance_type"])
def test_what_the_documentation_allows_is_translated_as_azure_ai_ml_does(
    document: dict[str, Any], size: str
) -> None:
    whole = {**document, "instance_type": size}
    assert translate_deployment(whole) == convert(whole)
    assert not list(find_deployment_faults(whole))


@settings(max_examples=200)
@given(
    st.fixed_dictionaries({"instance_type": ALLOWED["instance_type"]}, optional=OUTSIDE),
    st.sampled_from(KEYS),
    STRANGE | st.dictionaries(st.sampled_from(("type", "code", "period", "a")), STRANGE, max_size=2),
)
@example({"instance_type": "S"}, "environment", "azureml:sklearn")
@example({"instance_type": "S"}, "request_settings", {"request_timeout_ms": "5000"})
@example({"instance_type": "S"}, "scale_settings", {"type": "target_utilization", "max_instances": 2})
@example({"instance_type": "S"}, "data_collector", None)
def test_another_value_is_a_fault_or_has_the_body_that_azure_ai_ml_makes(
    document: dict[str, Any], key: str, value: Any
) -> None:
    changed = {**document, key: value}
    faults = list(find_deployment_faults(changed))
    if (translated := translate_deployment(changed)) is not None:
        assert not faults
        assert translated == convert(changed)
    elif not faults and not (
        key == "data_collector" and isinstance(value, dict)
    ):  # what it collects is not checked
        convert({**changed, "tags": changed.get("tags") or {}})  # as the action writes them


def test_the_known_keys_are_those_of_azure_ai_ml() -> None:
    from azure.ai.ml._schema._deployment.online.online_deployment import ManagedOnlineDeploymentSchema

    known = {*DEPLOYMENT_FIELDS, *OTHER_FIELDS, *OUTSIDE} - {"$schema"}
    assert known == ManagedOnlineDeploymentSchema(context={"base_path": "."}).fields.keys() - {
        "schema_ignored"
    }


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("instance_count", "many", "must be a whole number of at least 1, not the text 'many'"),
        ("instance_count", 0, "must be a whole number of at least 1, not the number 0"),
        ("instance_count", True, "must be a whole number of at least 1, not true"),
        ("instance_count", None, "must be a whole number of at least 1, not nothing"),
        ("instance_cout", 2, "unknown key (did you mean 'instance_count'?)"),
        ("instance_type", "", "must be text that is not empty, not the text ''"),
        ("instance_type", 4, "must be text that is not empty, not the number 4: put it in quotes"),
        ("description", True, "must be text, not true: put it in quotes"),
        ("app_insights_enabled", "maybe", "must be true or false, not the text 'maybe'"),
        ("type", "k8s", "must be managed or kubernetes, not the text 'k8s'"),
        ("egress_public_network_access", "no", "must be enabled or disabled, not the text 'no'"),
        (
            "environment",
            "azureml:a",
            "must be a reference such as azureml:name:version, not the text 'azureml:a'",
        ),
        (
            "environment",
            "azureml:a@prod",
            "must be a reference such as azureml:name:version, not the text 'azureml:a@prod'",
        ),
        ("tags", {"team": 1}, "must be text, not the number 1: put it in quotes"),
        ("environment_variables", "A=1", "must be a mapping, not the text 'A=1'"),
        ("request_settings", [], "must be a mapping, not a list"),
    ],
)
def test_a_fault_names_the_value_and_what_is_valid(key: str, value: Any, fault: str) -> None:
    ((path, text),) = find_deployment_faults({"instance_type": "S", key: value})
    assert path.partition(".")[0] == key
    assert text == fault


@pytest.mark.parametrize(
    ("document", "path", "fault"),
    [
        (
            {"request_settings": {"request_timeout_ms": "PT5S"}},
            "request_settings.request_timeout_ms",
            "milliseconds",
        ),
        ({"request_settings": {"max_queue_wait_ms": -1}}, "request_settings.max_queue_wait_ms", "at least 0"),
        (
            {"liveness_probe": {"initial_delay": 2.5}},
            "liveness_probe.initial_delay",
            "a whole number of seconds",
        ),
        ({"readiness_probe": {"perod": 5}}, "readiness_probe.perod", "did you mean 'period'?"),
        ({"scale_settings": {"type": "target_utilization"}}, "scale_settings.type", "must be default"),
        ({"scale_settings": {}}, "scale_settings", "'type' is missing"),
        (
            {"code_configuration": {"code": "azureml:c:1"}},
            "code_configuration",
            "'scoring_script' is missing",
        ),
        (
            {"code_configuration": {"code": "azureml:c", "scoring_script": "s.py"}},
            "code_configuration.code",
            "azureml:c",
        ),
    ],
)
def test_a_fault_inside_a_section_has_its_path(document: dict[str, Any], path: str, fault: str) -> None:
    ((found, text),) = find_deployment_faults({"instance_type": "S", **document})
    assert found == path
    assert fault in text


@pytest.mark.parametrize(
    "document",
    [
        {"instance_type": "${event.tags.size}", "instance_count": "${event.tags.count | int}"},
        {"instance_type": "S", "liveness_probe": "${event.tags.probe}", "tags": {"model": "${model.name}"}},
        {"instance_type": "S", "tags": None, "name": 5},  # the action replaces both
        {"instance_type": "S", "instance_count": "3", "app_insights_enabled": "yes", "type": "Managed"},
        {"instance_type": "S", "request_settings": {"max_queue_wait_ms": 0}},
        {"type": "kubernetes", "resources": {"requests": {"cpu": "1"}}},
    ],
)
def test_what_is_filled_in_later_or_read_by_azure_ai_ml_is_no_fault(document: dict[str, Any]) -> None:
    assert not list(find_deployment_faults(document))


def test_a_template_without_a_size_is_a_fault() -> None:
    assert list(find_deployment_faults({})) == [("", "'instance_type' is missing: add it")]
