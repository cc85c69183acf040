"""`env`: the environment in which other commands, and Azure's SDKs, find the running sandbox.

`eval "$(mlevents env)"; mlevents doctor` checks the sandbox as it would check Azure.
"""

import os
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from mlevents.commands.command import AsJson, command, print_json
from mlevents.commands.running_sandbox import ReadyFileOption, find_sandbox

LOOPBACK = "127.0.0.1,localhost"
SIGN_IN = (
    *("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_TENANT_ID"),
    *("AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST", "AZURE_TOKEN_CREDENTIALS"),
    *("AZUREML_CURRENT_CLOUD", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"),
)
"""Variables that would lead to the real Azure, so they are removed."""


class Shell(StrEnum):
    """The shell that reads what `env` prints."""

    BASH = "bash"
    POWERSHELL = "powershell"
    FISH = "fish"


ShellOption = Annotated[Shell | None, typer.Option("--shell", show_default="that of this terminal")]


@command("env")
def env(ready_file: ReadyFileOption = None, shell: ShellOption = None, as_json: AsJson = False) -> None:
    """Print the variables with which other commands, such as doctor, use the running sandbox."""
    variables = list_variables(find_sandbox(ready_file), os.environ)
    removed = [name for name in SIGN_IN if os.environ.get(name)]
    if as_json:
        print_json({"set": variables, "unset": removed})
        return
    assign, remove = _SHELL_FORMS[shell or guess_shell(os.environ)]
    for name in removed:
        typer.echo(remove(name))
    for name, value in variables.items():
        typer.echo(assign(name, value))


def list_variables(ready: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """The value of each variable; the certificate file also holds the public authorities."""
    direct = [part for part in environment.get("NO_PROXY", "").split(",") if part]
    return {
        **ready["settings"],
        "IDENTITY_ENDPOINT": ready["identity"],
        "IDENTITY_HEADER": "owner",
        "REQUESTS_CA_BUNDLE": ready["ca"],
        "SSL_CERT_FILE": ready["ca"],
        "NO_PROXY": ",".join(dict.fromkeys([*direct, *LOOPBACK.split(",")])),
        "MLEVENTS_RESOURCE_MANAGER": ready["arm"],
        "MLEVENTS_RULES": ready["rules"],
        "MLEVENTS_ENV": ready["env"],
    }


def guess_shell(environment: Mapping[str, str], windows: bool = os.name == "nt") -> Shell:
    """The shell that is probably in use."""
    if windows:
        return Shell.POWERSHELL
    return Shell.FISH if environment.get("SHELL", "").endswith("fish") else Shell.BASH


def _quote(value: str, special: str, replacement: str) -> str:
    return "'" + re.sub(special, replacement, value) + "'"


_SHELL_FORMS: Mapping[Shell, tuple[Callable[[str, str], str], Callable[[str], str]]] = {
    Shell.BASH: (
        lambda name, value: f"export {name}={_quote(value, "'", "'\\\\''")}",
        lambda name: f"unset {name}",
    ),
    Shell.POWERSHELL: (
        lambda name, value: f"$env:{name} = {_quote(value, "(['‘’‚‛])", r'\1\1')}",
        lambda name: f"Remove-Item Env:{name}",
    ),
    Shell.FISH: (
        lambda name, value: f"set -gx {name} {_quote(value, r"(['\\])", r'\\\1')}",
        lambda name: f"set -e {name}",
    ),
}
"""How each shell sets a variable and removes one; quotes are as the shell reads them."""
