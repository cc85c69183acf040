"""What a request body must hold, one rule for each kind of resource.

The rules follow the published resource schemas of the API versions that azure-ai-ml 1.35 uses. The
limits on tags are Resource Manager's own, for resources that have a location.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.azure.validation import (
    Rule,
    all_of,
    anything,
    by,
    flag,
    list_of,
    map_of,
    object_of,
    one_of,
    problems,
    scalar,
    text,
    whole,
)

TOP_LEVEL = (
    *("id", "name", "type", "location", "tags", "properties", "identity", "kind", "sku", "plan", "etag"),
    *("zones", "managedBy", "extendedLocation", "systemData", "scale"),
)
MOST_TAGS, LONGEST_TAG_NAME, LONGEST_TAG_VALUE = 50, 512, 256
NOT_IN_TAG_NAMES = frozenset("<>%&\\?/")
WORD = text("[a-zA-Z0-9_]")
TEXTS = map_of(text())
SWITCH = one_of("Enabled", "Disabled")
IDENTITY = object_of(
    {"type": one_of("None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned")},
    userAssignedIdentities=map_of(object_of()),
)
SKU = object_of(
    {"name": text()},
    capacity=whole,
    family=text(),
    size=text(),
    tier=one_of("Free", "Basic", "Standard", "Premium"),
)


def _tags(value: Any, path: str) -> Iterator[str]:
    found = list(TEXTS(value, path))
    yield from found
    if found:
        return
    if len(value) > MOST_TAGS:
        yield f"'{path}' holds {len(value)} tags: a resource may have {MOST_TAGS}"
    for name, tag in value.items():
        if len(name) > LONGEST_TAG_NAME or NOT_IN_TAG_NAMES & set(name):
            yield f"the tag name '{name}' is too long, or holds one of <>%&\\?/"
        if len(tag) > LONGEST_TAG_VALUE:
            yield f"'{path}.{name}' has {len(tag)} characters: a tag's value may have {LONGEST_TAG_VALUE}"


def _tracked(properties: Rule) -> Rule:
    return object_of(
        {"location": text(), "properties": properties},
        tags=_tags,
        identity=IDENTITY,
        sku=SKU,
        kind=text(),
    )


def _asset(**properties: Rule) -> Rule:
    shared: dict[str, Rule] = {"description": text(), "isAnonymous": flag, "isArchived": flag, "tags": TEXTS}
    return object_of({"properties": object_of({}, **{"properties": TEXTS, **shared, **properties})})


_PROBE = object_of(
    failureThreshold=whole, successThreshold=whole, initialDelay=text(), period=text(), timeout=text()
)
_SCALE = by(
    "scaleType",
    {
        "Default": object_of(),
        "TargetUtilization": object_of(
            maxInstances=whole, minInstances=whole, pollingInterval=text(), targetUtilizationPercentage=whole
        ),
    },
)
_COLLECTION = object_of(clientId=text(), dataCollectionMode=SWITCH, dataId=text(), samplingRate=anything)
_DEPLOYMENT = object_of(
    {"endpointComputeType": one_of("Kubernetes", "Managed")},
    appInsightsEnabled=flag,
    codeConfiguration=object_of({"scoringScript": WORD}, codeId=text()),
    dataCollector=object_of(
        {"collections": map_of(_COLLECTION)}, rollingRate=one_of("Year", "Month", "Day", "Hour", "Minute")
    ),
    description=text(),
    egressPublicNetworkAccess=SWITCH,
    environmentId=text(),
    environmentVariables=TEXTS,
    instanceType=text(),
    livenessProbe=_PROBE,
    model=text(),
    modelMountPath=text(),
    properties=TEXTS,
    readinessProbe=_PROBE,
    requestSettings=object_of(
        maxConcurrentRequestsPerInstance=whole, maxQueueWait=text(), requestTimeout=text()
    ),
    scaleSettings=_SCALE,
)
_DATA_INPUT = object_of({"uri": WORD}, mode=text(), pathOnCompute=text(), description=text())
_DATA = ("custom_model", "mlflow_model", "mltable", "triton_model", "uri_file", "uri_folder")
_INPUTS = map_of(
    by("jobInputType", {"literal": object_of({"value": WORD}), **dict.fromkeys(_DATA, _DATA_INPUT)})
)
_OUTPUTS = map_of(object_of({"jobOutputType": one_of(*_DATA)}, mode=text(), uri=text(), description=text()))
_TRIAL = object_of({"command": WORD, "environmentId": WORD})
_JOBS: Mapping[str, Rule] = {
    "Pipeline": object_of(inputs=_INPUTS, outputs=_OUTPUTS, jobs=map_of(anything), sourceJobId=text()),
    "Command": object_of(
        {"command": WORD, "environmentId": WORD}, codeId=text(), environmentVariables=TEXTS, inputs=_INPUTS
    ),
    "Sweep": object_of(
        {"objective": object_of(), "samplingAlgorithm": object_of(), "searchSpace": anything, "trial": _TRIAL}
    ),
    "AutoML": object_of({"taskDetails": object_of()}),
    "Spark": object_of({"codeId": WORD, "entry": object_of()}),
    "FineTuning": object_of({"fineTuningDetails": object_of(), "outputs": _OUTPUTS}),
    "Labeling": object_of(),
}
_EVERY_JOB = object_of(
    componentId=text(),
    computeId=text(),
    description=text(),
    displayName=text(),
    experimentName=text(),
    identity=object_of({"identityType": one_of("AMLToken", "Managed", "UserIdentity")}),
    isArchived=flag,
    notificationSetting=object_of(
        emailOn=list_of(one_of("JobCompleted", "JobFailed", "JobCancelled")), emails=list_of(text())
    ),
    properties=TEXTS,
    tags=TEXTS,
)
_ENDPOINT = object_of(
    {"authMode": one_of("AMLToken", "Key", "AADToken")},
    compute=text(),
    description=text(),
    keys=object_of(primaryKey=text(), secondaryKey=text()),
    mirrorTraffic=map_of(whole),
    properties=TEXTS,
    publicNetworkAccess=SWITCH,
    traffic=map_of(whole),
)
RULES: Mapping[str, Rule] = {
    "onlineEndpoints": _tracked(_ENDPOINT),
    "onlineEndpoints/deployments": _tracked(_DEPLOYMENT),
    "jobs": object_of({"properties": all_of(_EVERY_JOB, by("jobType", _JOBS))}),
    "models": _asset(
        flavors=map_of(object_of()), jobName=text(), modelType=text(), modelUri=text(), stage=text()
    ),
    "components": _asset(componentSpec=anything, stage=text()),
    "environments": _asset(
        autoRebuild=one_of("Disabled", "OnBaseImageUpdate"),
        build=object_of({"contextUri": WORD}, dockerfilePath=text()),
        condaFile=text(),
        image=text(),
        osType=one_of("Linux", "Windows"),
        stage=text(),
    ),
    "codes": _asset(codeUri=text(), properties=map_of(scalar)),
    "data": _asset(dataType=text(), dataUri=text()),
}


def check(kind: str, body: Any) -> None:
    """Let the body of a PUT through, or raise ArmError naming every problem's path."""
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content was not a JSON object.")
    strangers = sorted(set(body).difference(TOP_LEVEL))
    if strangers:
        raise ArmError(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: Could not find member "
            f"'{strangers[0]}' on object of type 'ResourceDefinition'. Path '{strangers[0]}'.",
        )
    found = problems(RULES[kind], body)
    if "'location' is required" in found:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if found:
        raise ArmError(400, "BadRequest", f"The request is invalid: {'; '.join(found)}.")
