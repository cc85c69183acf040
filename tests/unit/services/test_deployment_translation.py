"""A translated deployment is the body that azure-ai-ml sends, or there is none; what it refuses is found."""

from typing import Any

import pytest
from azure.core.exceptions import AzureError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlevents.errors import PermanentError
from mlevents.services.machine_learning.deployment_translation import (
    DEPLOYMENT_FIELDS,
    OTHER_FIELDS,
    find_deployment_faults,
    translate_deployment,
    write_number_texts,
)
from mlevents.services.machine_learning.sdk_internals import rest_body
from mlevents.services.machine_learning.yaml_entities import load_entity
from sandbox.azure.validation import find_problems

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
        assert translated == convert(write_number_texts(changed))
    elif not faults and not (
        key == "data_collector" and isinstance(value, dict)
    ):  # what it collects is not checked
        convert({**changed, "tags": changed.get("tags") or {}})  # as the action writes them


TEXT_MAPS = ("environment_variables", "properties", "tags")
SECTIONS = {
    key: tuple(kind.members) for key, (_, kind) in DEPLOYMENT_FIELDS.items() if hasattr(kind, "members")
}
MEMBERS = SECTIONS | dict.fromkeys(TEXT_MAPS, ("a",))
"""The keys in each section of a document."""
EXCEPTIONS: tuple[tuple[str, str, Any], ...] = (
    ("request_settings", "max_queue_wait_ms", 2.5),  # azure-ai-ml drops the fraction, and sends 2
    ("instance_count", "", "-3"),  # Azure ML documents a minimum
    ("instance_type", "", ""),  # no virtual machine size
    ("environment", "", "azureml:sklearn"),  # neither a version nor `latest`: refused before too
    ("code_configuration", "", {}),  # an empty section; azure-ai-ml drops it
    ("tags", "a", None),  # no text; the sandbox's reader of the schema ignores it
)
"""A fault that azure-ai-ml and the schema accept, for each reason."""


def is_exception(key: str, member: str, value: Any) -> bool:
    """Whether a value is a fault for one of the reasons in EXCEPTIONS."""
    if key in TEXT_MAPS:
        return bool(member) and value is None
    if key in {"environment", "instance_type", "code_configuration"}:
        return value in ("", {}) or (key == "environment" and isinstance(value, str))
    try:
        return int(value) <= 0 or int(value) != float(value)
    except (TypeError, ValueError, OverflowError):
        return False


def write_document(key: str, member: str, value: Any) -> dict[str, Any]:
    """A document with a value, in a section where a member is named."""
    return {"instance_type": "S", key: {member: value} if member else value}


ENVIRONMENT_ID = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
ENVIRONMENT_ID += "/environments/a/versions/1"
ACCEPTED: dict[str, tuple[Any, ...]] = {
    "instance_count": (2.0, "+2", " 2 ", "02", "1_0"),
    "app_insights_enabled": (0, 1, 1.0, "yes", "OFF", "True"),
    "liveness_probe": ({"failure_threshold": 30.0, "period": "+5", "timeout": 0.0}, {}),
    "request_settings": ({"request_timeout_ms": 5000.0, "max_concurrent_requests_per_instance": "2"},),
    "code_configuration": ({"scoring_script": "score.py"},),
    "environment": (
        f"azureml:{ENVIRONMENT_ID}",
        "azureml:a:1",
        "azureml:a@latest",
        "azureml://registries/r/environments/a/versions/1",
    ),
    "creation_context": (5, "a", []),
    "$schema": (5, "", []),
    "type": ("MANAGED",),
    "private_network_connection": ("no", 0.0),
}


def is_accepted(document: dict[str, Any]) -> bool:
    """Whether azure-ai-ml converts it, to a body that the published schema accepts."""
    try:
        body = convert(document)
    except (PermanentError, AzureError, AttributeError, TypeError, OverflowError):
        return False
    return not find_problems("online_deployment", {**body, "location": "westeurope"})


@pytest.mark.parametrize(("key", "value"), [(key, one) for key, all_ in ACCEPTED.items() for one in all_])
def test_what_azure_ai_ml_and_the_schema_accept_is_no_fault(key: str, value: Any) -> None:
    document = {"instance_type": "S", key: value}
    assert is_accepted(document)
    assert not list(find_deployment_faults(document))


@settings(max_examples=300)
@given(
    st.data(), st.sampled_from(KEYS), STRANGE | st.sampled_from(("+2", "1_0", 2.0, 30.0, "Yes", "MANAGED"))
)
def test_a_fault_is_what_azure_ai_ml_or_the_schema_refuses(data: st.DataObject, key: str, value: Any) -> None:
    member = data.draw(st.sampled_from(("", *MEMBERS.get(key, ()))))
    document = write_document(key, member, value)
    if list(find_deployment_faults(document)) and not is_exception(key, member, value):
        assert not is_accepted(document)


@pytest.mark.parametrize(("key", "member", "value"), EXCEPTIONS)
def test_each_exception_is_one(key: str, member: str, value: Any) -> None:
    document = write_document(key, member, value)
    assert is_exception(key, member, value)
    assert is_accepted(document)
    assert list(find_deployment_faults(document))


@pytest.mark.parametrize("key", TEXT_MAPS)
@pytest.mark.parametrize("more", [{}, {"private_network_connection": False}], ids=["here", "azure-ai-ml"])
def test_a_whole_number_among_texts_is_sent_as_text(key: str, more: dict[str, Any]) -> None:
    document = {"instance_type": "S", key: {"A": 4, "B": "1"}, **more}
    assert not list(find_deployment_faults(document))
    translated = translate_deployment(document)
    assert (translated is None) == bool(more)
    body = translated or convert(write_number_texts(document))
    assert {"A": "4", "B": "1"} in (*body["properties"].values(), body["tags"])
    assert is_accepted(write_number_texts(document))


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
        ("tags", {"team": 1.5}, "must be text, not the number 1.5: put it in quotes"),
        ("environment_variables", {"DEBUG": True}, "must be text, not true: put it in quotes"),
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
