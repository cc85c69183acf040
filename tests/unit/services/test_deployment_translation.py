"""A translated deployment is the body that azure-ai-ml sends, or there is none."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlevents.services.machine_learning.deployment_translation import DEPLOYMENT_FIELDS, translate_deployment
from mlevents.services.machine_learning.sdk_internals import rest_body
from mlevents.services.machine_learning.yaml_entities import load_entity

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml's own, on import

COUNTS = st.integers(1, 2**31)
TEXTS = st.text(min_size=1, max_size=8)
MAPS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans(), max_size=3)
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
KEYS = (*ALLOWED, *OUTSIDE, "data_collector", "id", "resources", "no_such_key")


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


@settings(max_examples=200)
@given(
    st.fixed_dictionaries({"instance_type": ALLOWED["instance_type"]}, optional=OUTSIDE),
    st.sampled_from(KEYS),
    STRANGE | st.dictionaries(st.sampled_from(("type", "code", "period", "a")), STRANGE, max_size=2),
)
@example({"instance_type": "S"}, "environment", "azureml:sklearn")
@example({"instance_type": "S"}, "request_settings", {"request_timeout_ms": "5000"})
@example({"instance_type": "S"}, "scale_settings", {"type": "target_utilization", "max_instances": 2})
def test_another_value_is_left_to_azure_ai_ml_or_translated_as_it_does(
    document: dict[str, Any], key: str, value: Any
) -> None:
    changed = {**document, key: value}
    translated = translate_deployment(changed)
    if translated is not None:
        assert translated == convert(changed)
