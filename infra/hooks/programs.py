"""The programs that a deployment runs: the Azure CLI, and mlevents itself."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INFRA = Path(__file__).resolve().parent.parent
ROOT = INFRA.parent


class HookError(Exception):
    """A step of the deployment cannot go on; the message says why, and what to do."""


def say(text: str) -> None:
    """One line for whoever watches."""
    sys.stderr.write(text + "\n")


def run(name: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program of the PATH from the project's folder; raises HookError when it is not there."""
    program = shutil.which(name)
    if program is None:
        raise HookError(f"'{name}' is not on the PATH: see docs/deploying.md")
    return subprocess.run([program, *words], cwd=ROOT, text=True, check=False, **options)


def az(*words: str) -> Any:
    """What a command of `az` answers, as JSON; raises HookError with its own words when it fails."""
    done = run("az", *words, "--only-show-errors", "--output", "json", capture_output=True)
    if done.returncode != 0:
        command = " ".join(("az", *words))
        raise HookError(f"{command}\n  failed: {(done.stderr or done.stdout).strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def mlevents(
    *words: str, environment: Mapping[str, str], keep: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command of mlevents, on the rules of this folder; `keep` keeps what it prints."""
    stdout = subprocess.PIPE if keep else None
    command = [sys.executable, "-m", "mlevents", *words]
    return subprocess.run(command, cwd=ROOT, env=dict(environment), text=True, check=False, stdout=stdout)


def needed(environment: Mapping[str, str], name: str) -> str:
    """A value that provisioning leaves in the environment; raises HookError when it did not."""
    if value := environment.get(name):
        return value
    raise HookError(f"{name} is not set: provision first (`azd provision`, or infra/deploy.sh)")


def keep_in_azd(environment: Mapping[str, str], name: str, value: str) -> None:
    """Put a value into azd's environment, where main.parameters.json reads it; never on a command line."""
    azd_environment = needed(environment, "AZURE_ENV_NAME")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "values.env")
        file.write_text(f"{name}='{value}'\n", encoding="utf-8")
        if run("azd", "env", "set", "--file", str(file), "--environment", azd_environment).returncode != 0:
            raise HookError(f"{name} was not kept in the environment '{azd_environment}' of azd (see above)")


def deploy_template(
    template: str, name: str, parameters: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, Any]:
    """Deploy a template of infra/ at the scope of the subscription; answers its outputs."""
    document = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {key: {"value": value} for key, value in parameters.items()},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "parameters.json")
        path.write_text(json.dumps(document), encoding="utf-8")
        answer = az(
            *("deployment", "sub", "create", "--name", name),
            *("--location", needed(environment, "AZURE_LOCATION")),
            *("--subscription", needed(environment, "AZURE_SUBSCRIPTION_ID")),
            *("--template-file", str(INFRA / template), "--parameters", f"@{path}"),
        )
    return outputs(answer)


def outputs(deployment: Any) -> dict[str, Any]:
    """A deployment's outputs by name in capitals, because ARM does not keep their case."""
    found = ((deployment or {}).get("properties") or {}).get("outputs") or {}
    return {name.upper(): output["value"] for name, output in found.items()}
