"""Batch endpoints: read them, and invoke one, which starts a pipeline job."""

import uuid
from typing import Any

from aiohttp import web

from sandbox.azure.errors import ArmError, not_found
from sandbox.azure.machine_learning.assets import page
from sandbox.azure.machine_learning.jobs import Jobs
from sandbox.azure.rights.requested_actions import FRONT
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import ML, WORKSPACE_PATH, Workspace

PATH = f"{WORKSPACE_PATH}/batchEndpoints"
PRINCIPAL = "66666666-6666-6666-6666-666666666666"


class BatchEndpoints:
    """Serves the batch endpoints that the workspace starts with; each runs a pipeline component."""

    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace = workspace
        self._jobs = jobs
        self._components: dict[str, dict[str, str]] = {}
        self._defaults: dict[str, str] = {}
        self._started: dict[str, list[dict[str, Any]]] = {}

    def add(self, endpoint: str, deployment: str, component: str) -> None:
        """Create an endpoint, or one more deployment of it; the first deployment is the default."""
        self._components.setdefault(endpoint.lower(), {})[deployment.lower()] = component
        self._defaults.setdefault(endpoint.lower(), deployment.lower())

    def register(self, routes: Routes) -> None:
        """Serve the endpoints, their deployments, and the address that invokes."""
        routes.add("GET", PATH, self._list)
        routes.add("GET", f"{PATH}/{{endpoint}}", self._get)
        routes.add("GET", f"{PATH}/{{endpoint}}/deployments", self._deployments)
        routes.add("GET", f"{PATH}/{{endpoint}}/deployments/{{deployment}}", self._deployment)
        routes.add("GET", f"{FRONT}{PATH}/{{endpoint}}/jobs", self._listed, audience="ml")
        routes.add("POST", "/batch/{endpoint}/jobs", self._invoke, versioned=False, audience="ml")

    async def _list(self, call: Call) -> web.Response:
        return page(call, [self._shown(name, call.data_plane) for name in self._components])

    async def _get(self, call: Call) -> web.Response:
        return web.json_response(self._shown(self._named(call), call.data_plane))

    async def _deployments(self, call: Call) -> web.Response:
        endpoint = self._named(call)
        return page(call, [self._deployed(endpoint, name) for name in self._components[endpoint]])

    async def _deployment(self, call: Call) -> web.Response:
        endpoint, name = self._named(call), call.names["deployment"].lower()
        if name not in self._components[endpoint]:
            raise not_found(call.request.path)
        return web.json_response(self._deployed(endpoint, name))

    async def _invoke(self, call: Call) -> web.Response:
        endpoint, body = self._named(call), await call.body()
        asked = call.request.headers.get("azureml-model-deployment", self._defaults[endpoint]).lower()
        component = self._components[endpoint].get(asked)
        if component is None:
            raise ArmError(404, "NotFound", f"Endpoint '{endpoint}' has no deployment '{asked}'.")
        if not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
            raise ArmError(400, "BadRequest", "'properties' is required, and must be an object.")
        properties = body["properties"]
        name = f"batchjob-{uuid.uuid4()}"  # whatever was asked for: azure-sdk-for-python issue 32763
        self._jobs.submit(name, self._job(endpoint, asked, properties), call.failure)
        answer = self._answer(endpoint, name, properties)
        self._started.setdefault(endpoint, []).append(answer)
        return web.json_response(answer, status=201)

    async def _listed(self, call: Call) -> web.Response:
        return page(call, list(reversed(self._started.get(self._named(call), []))))

    def _job(self, endpoint: str, deployment: str, properties: dict[str, Any]) -> dict[str, Any]:
        inputs = {name: _input(value) for name, value in (properties.get("inputData") or {}).items()}
        more = properties.get("properties") or {}
        job = {
            "jobType": "Pipeline",
            "componentId": self._components[endpoint][deployment],
            "inputs": inputs,
            "experimentName": more.get("experimentName") or endpoint,
            "properties": {"azureml.endpointname": endpoint, "azureml.deploymentname": deployment},
        }
        return {"properties": job}

    def _answer(self, endpoint: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"{self._workspace.id}/batchEndpoints/{endpoint}/jobs/{name}",
            "name": name,
            "type": f"{ML}/workspaces/batchEndpoints/jobs",
            "properties": {**properties, "jobType": "Batch", "status": "Preparing", "services": {}},
            "systemData": self._workspace.system_data(),
        }

    def _named(self, call: Call) -> str:
        name = call.names["endpoint"].lower()
        if name not in self._components:
            raise not_found(call.request.path)
        return name

    def _shown(self, name: str, origin: str) -> dict[str, Any]:
        return {
            "id": f"{self._workspace.id}/batchEndpoints/{name}",
            "name": name,
            "type": f"{ML}/workspaces/batchEndpoints",
            "kind": "BatchEndpoint",
            "location": self._workspace.location,
            "tags": {},
            "identity": self._workspace.identity(None, PRINCIPAL),
            "properties": {
                "description": None,
                "properties": {},
                "authMode": "AADToken",
                "scoringUri": f"{origin}/batch/{name}/jobs",
                "swaggerUri": None,
                "provisioningState": "Succeeded",
                "defaults": {"deploymentName": self._defaults[name]},
            },
            "systemData": self._workspace.system_data(),
        }

    def _deployed(self, endpoint: str, name: str) -> dict[str, Any]:
        component = {"assetId": self._components[endpoint][name], "referenceType": "Id"}
        return {
            "id": f"{self._workspace.id}/batchEndpoints/{endpoint}/deployments/{name}",
            "name": name,
            "type": f"{ML}/workspaces/batchEndpoints/deployments",
            "location": self._workspace.location,
            "tags": {},
            "properties": {
                "provisioningState": "Succeeded",
                "deploymentConfiguration": {
                    "deploymentConfigurationType": "PipelineComponent",
                    "componentId": component,
                    "settings": {},
                },
            },
            "systemData": self._workspace.system_data(),
        }


def _input(value: Any) -> dict[str, Any]:
    """A batch input as a job's: the batch service spells the types in PascalCase."""
    kinds = {"literal": "literal", "urifile": "uri_file", "urifolder": "uri_folder", "mltable": "mltable"}
    kinds |= {"mlflowmodel": "mlflow_model", "custommodel": "custom_model", "tritonmodel": "triton_model"}
    if not isinstance(value, dict):
        raise ArmError(400, "BadRequest", f"An input is {value!r}: give an object with its jobInputType.")
    kind = kinds.get(str(value.get("jobInputType")).replace("_", "").lower(), "")
    content = {"value": str(value.get("value"))} if kind == "literal" else {"uri": value.get("uri")}
    return {"jobInputType": kind, **content}
