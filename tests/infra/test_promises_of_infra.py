"""What the templates promise: identities instead of keys, TLS, one event a delivery, no idle costs."""

import re
from typing import Any

from tests.infra.bicep_file import (
    FILES,
    INFRA,
    Declaration,
    at,
    declarations,
    properties,
    strings,
    text,
    tree,
    walk,
)

APP = INFRA / "modules/function-app.bicep"
STORAGE = INFRA / "modules/storage.bicep"
SCHEDULER = INFRA / "modules/scheduler.bicep"
SUBSCRIPTIONS = INFRA / "modules/event-subscriptions.bicep"
REFUSED_BY_FLEX = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "WEBSITE_",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "AzureWebJobsDashboard",
)


def one(path: Any, kind: str, name: str) -> Declaration:
    return next(found for found in declarations(path, kind) if found.name == name)


def values(path: Any, resource: str, *paths: str) -> list[str]:
    body = one(path, "resource", resource).body
    return [at(body, each).strip("'") for each in paths]


def test_storage_knows_no_keys_and_nothing_public() -> None:
    names = ("allowSharedKeyAccess", "allowBlobPublicAccess", "minimumTlsVersion", "supportsHttpsTrafficOnly")
    found = values(STORAGE, "account", *(f"properties.{name}" for name in names))
    assert found == ["false", "false", "TLS1_2", "true"]


def test_durable_functions_gets_blobs_queues_and_tables() -> None:
    assert set(strings(STORAGE, "roles")) == {
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    }


def test_a_person_may_read_and_no_more_and_only_when_one_is_named() -> None:
    assert set(strings(STORAGE, "readers")) == {
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        "19e7f393-937e-4f77-808e-94535e297925",
        "76199698-9eea-4c19-bc75-cec21354c6b6",
    }
    assert "if (!empty(operatorId))" in text(one(STORAGE, "resource", "operatorReads").node)
    assert one(INFRA / "main.bicep", "param", "operatorId").default == "''"


def test_communication_services_has_no_access_keys() -> None:
    path = INFRA / "modules/communication.bicep"
    assert values(path, "communication", "properties.disableLocalAuth") == ["true"]


def test_a_network_that_is_there_is_used_and_nothing_of_it_is_made() -> None:
    main = INFRA / "main.bicep"
    assert "if (makesNetwork)" in text(one(main, "module", "network").node)
    assert "usePrivateNetwork && empty(appSubnetId)" in text(one(main, "var", "makesNetwork").node)
    app = one(main, "module", "app")
    assert at(app.body, "params.subnetId") == "makesNetwork ? network!.outputs.appSubnetId : appSubnetId"
    endpoint = INFRA / "modules/private-endpoint.bicep"
    for name in ("zone", "zoneLink"):
        assert "if (empty(zoneId))" in text(one(endpoint, "resource", name).node)


def test_the_app_is_python_on_flex_consumption_and_pulls_its_package_by_identity() -> None:
    config = "properties.functionAppConfig"
    assert values(APP, "plan", "sku.name", "sku.tier") == ["FC1", "FlexConsumption"]
    assert values(APP, "app", f"{config}.runtime.name", f"{config}.runtime.version") == ["python", "3.13"]
    package = f"{config}.deployment.storage"
    found = values(APP, "app", f"{package}.type", f"{package}.authentication.type")
    assert found == ["blobContainer", "UserAssignedIdentity"]
    assert values(APP, "app", "properties.httpsOnly", "properties.siteConfig.minTlsVersion") == [
        "true",
        "1.2",
    ]


def test_no_setting_that_flex_consumption_refuses() -> None:
    names = [text(node).strip("'") for node in walk(tree(APP)) if node.type in ("identifier", "string")]
    assert "MLEVENTS_SECRET" in names, "a setting is found"
    assert [name for name in names if name.startswith(REFUSED_BY_FLEX)] == []


def test_no_template_reads_a_key() -> None:
    names = [text(node) for path in FILES for node in walk(tree(path)) if node.type == "identifier"]
    assert "resourceGroup" in names, "the name of a function that is called is found"
    assert [name for name in names if re.fullmatch(r"list\w*keys?", name, re.IGNORECASE)] == []


def test_an_event_is_one_delivery_and_what_cannot_be_delivered_is_kept() -> None:
    function = "properties.destination.properties.maxEventsPerBatch"
    letter = "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties.blobContainerName"
    found = values(SUBSCRIPTIONS, "subscriptions", "properties.destination.endpointType", function, letter)
    assert found == ["AzureFunction", "1", "dead-letters"]


def test_every_subscription_keeps_what_cannot_be_delivered() -> None:
    found = [one for path in FILES for one in declarations(path, "resource")]
    subscriptions = [one for one in found if "/eventSubscriptions@" in one.target]
    assert len(subscriptions) >= 3, "of the workspace, of the streams and of their web hooks"
    for one in subscriptions:
        assert at(one.body, "properties.deadLetterWithResourceIdentity"), one.name
        assert at(one.body, "properties.retryPolicy.eventTimeToLiveInMinutes"), one.name


def test_what_costs_while_idle_is_off_until_asked_for() -> None:
    off = {"useKeyVault": "false", "usePrivateNetwork": "false", "alertEmail": "''", "alwaysReady": "[]"}
    params = {one.name: one.default for one in declarations(INFRA / "main.bicep", "param")}
    assert {name: params[name] for name in off} == off


def test_secrets_are_secure_parameters() -> None:
    for path in (INFRA / "main.bicep", APP):
        assert one(path, "param", "teamsWorkflowUrl").secure


def test_no_secret_is_an_output() -> None:
    words = ("password", "secret", "listkeys", "accountkey", "teamsworkflowurl")
    found = [text(one.node) for path in FILES for one in declarations(path, "output")]
    assert [line for line in found if any(word in line.lower() for word in words)] == []


def test_rights_are_assigned_to_one_identity_at_one_resource() -> None:
    found = [(path, one) for path in FILES for one in declarations(path, "resource")]
    target = "Microsoft.Authorization/roleAssignments@"
    assignments = [(path, one) for path, one in found if one.target.startswith(target)]
    people = {(STORAGE, "operatorReads"), (SCHEDULER, "operatorReads")}
    assert people <= {(path, one.name) for path, one in assignments}
    for path, one in assignments:
        assert at(one.body, "scope") not in ("", "subscription()"), (path, one.name)
        kind = "operatorType" if (path, one.name) in people else "'ServicePrincipal'"
        assert at(one.body, "properties.principalType") == kind, (path, one.name)


def test_custom_roles_can_be_assigned_in_one_resource_group() -> None:
    for name in ("workspace-role.bicep", "factory-role.bicep"):
        role = one(INFRA / "modules" / name, "resource", "role")
        scopes = properties(properties(role.body)["properties"])["assignableScopes"]
        assert text(scopes).split() == ["[", "resourceGroup().id", "]"]


def test_every_reason_of_a_skipped_check_is_given() -> None:
    comments = [text(node) for path in FILES for node in walk(tree(path)) if node.type == "comment"]
    skips = [one for one in comments if "checkov:skip" in one]
    assert skips
    assert [one for one in skips if len(one.split(":", 3)[-1].strip()) <= 20] == []
