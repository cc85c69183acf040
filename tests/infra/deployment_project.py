"""A project folder of its own, with `az`, `azd` and `func` replaced by recorders on the PATH."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes.process_client import run_program

ROOT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
WORKSPACE = f"{GROUP}/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
FACTORY = f"{GROUP}/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"
APP, PRINCIPAL = "mlevents-abc", "22222222-2222-2222-2222-222222222222"
FUNCTIONS = ["ModelRegistered", "ModelDeployed", "RunCompleted", "RunStatusChanged", "DatasetDriftDetected"]
OUTPUTS = {
    "AZURE_FUNCTION_APP_NAME": APP,
    "AZURE_RESOURCE_GROUP": "rg-mlevents-test",
    "MLEVENTS_FUNCTION_APP_ID": f"{GROUP}/rg-mlevents-test/providers/Microsoft.Web/sites/{APP}",
    "MLEVENTS_PRINCIPAL_ID": PRINCIPAL,
    "MLEVENTS_STORAGE_NAME": "mleventsabc",
    "MLEVENTS_URL": "http://127.0.0.1:9",  # where nothing answers
}


@dataclass
class Azure:
    """A project folder of its own, and what the recorders answer and were asked."""

    project: Path
    file: Path

    @property
    def state(self) -> dict[str, Any]:
        return json.loads(self.file.read_text())

    def set(self, **changes: Any) -> None:
        self.file.write_text(json.dumps(self.state | changes))

    def recorders(self) -> dict[str, str]:
        """What puts the recorders in the place of `az`, `azd` and `func`."""
        return {
            "PATH": f"{self.project / 'bin'}:{os.environ['PATH']}",
            "RECORDER": str(self.file),
            "RECORDER_TABLE": str(ROOT),
        }

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a hook."""
        return {
            **self.recorders(),
            "HOME": str(self.project),
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "AZURE_LOCATION": "westeurope",
            "AZURE_ENV_NAME": "test",
            "MLEVENTS_DOCTOR": "off",
            "COMMUNICATION_ENDPOINT": "https://c.example.com",
            "TEAMS_WORKFLOW_URL": "workflows://host/id/signature",
            "MLEVENTS_SECRET": "chosen",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.project / "wheels"),
            **more,
        }

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Start a program, which starts others."""
        whole = self.environment(**environment)
        return subprocess.run(words, cwd=self.project, env=whole, capture_output=True, text=True, check=False)

    def step(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a step of the hooks, forked as the programs that it starts; see `run` for new processes."""
        return run_program("hooks", words, self.project, self.environment(**environment))

    def calls(self, command: str) -> list[dict[str, Any]]:
        return [one for one in self.state["calls"] if one.get("command") == command]

    def template(self, name: str) -> dict[str, Any]:
        deployed = [one for one in self.calls("deployment sub create") if one["template"] == name]
        return deployed[-1]["parameters"]


def make_project(folder: Path) -> Azure:
    project = folder / "project"
    ignored = shutil.ignore_patterns("filters.json", "streams.json", "targets.json")
    shutil.copytree(ROOT / "infra", project / "infra", ignore=ignored)
    shutil.copy(ROOT / "rules.yaml", project)
    shutil.copytree(ROOT / "deployments", project / "deployments")
    (project / "mlevents").symlink_to(ROOT / "mlevents")
    requirement = make_wheel(project / "wheels", "tiny")
    (project / "requirements.txt").write_text(requirement)
    (project / "bin").mkdir()
    for name in ("az", "azd", "func"):
        recorder = project / "bin" / name
        recorder.write_text(
            f"#!{sys.executable}\n" + (Path(__file__).parent / "azure_recorder.py").read_text()
        )
        recorder.chmod(0o755)
    state = {
        "calls": [],
        "subscription": SUBSCRIPTION,
        "providers": ["Microsoft.EventGrid", "Microsoft.MachineLearningServices"],
        "resources": [WORKSPACE, FACTORY],
        "functions": FUNCTIONS,
        "types": [f"Microsoft.MachineLearningServices.{name}" for name in FUNCTIONS],
        "topics": {},
        "assignments": [],
        "roles": [],
        "apps": [],
        "keys": {"functionKeys": {"default": "the-key"}},
        "outputs": {name[:5].lower() + name[5:]: {"value": value} for name, value in OUTPUTS.items()},
    }
    file = folder / "azure.json"
    file.write_text(json.dumps(state))
    return Azure(project, file)


def topic(owner: str | None, *subscriptions: str, identity: str | None = "SystemAssigned") -> dict[str, Any]:
    return {
        "the-topic": {
            "name": "the-topic",
            "resourceGroup": "rg-events",
            "source": WORKSPACE.upper().replace("/SUBSCRIPTIONS", "/subscriptions"),
            "tags": {"mlevents-app": owner} if owner else None,
            "identity": {"type": identity} if identity else None,
            "subscriptions": list(subscriptions),
        }
    }


def assignment(scope: str, number: int, principal: str = PRINCIPAL, role: str = "r") -> dict[str, str]:
    definition = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {
        "id": f"{scope}/assignments/{number}",
        "scope": scope,
        "principalId": principal,
        "roleDefinitionId": definition,
    }


def custom_role(name: str, place: str, app: str = APP) -> dict[str, str]:
    """A role as workspace-role.bicep makes it."""
    return {
        "name": name,
        "roleName": f"{app} on workspace {place.rsplit('/', 1)[-1]} (hash of {name})",
        "description": f"What the rules of {app} need in {place}, and no more.",
    }


def make_wheel(folder: Path, name: str, text: str = "") -> str:
    """Write the smallest wheel that pip installs; answers the line of a lock file for it."""
    folder.mkdir(exist_ok=True)
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    members = {
        f"{name}.py": text or "here = True\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{member},,\n" for member in (*members, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in {**members, f"{info}/RECORD": record}.items():
            wheel.writestr(member, content)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
