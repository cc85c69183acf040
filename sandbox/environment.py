"""The app's settings in the sandbox: this process's environment, put back at the end."""

import os
from collections.abc import Iterable, Mapping, MutableMapping

FOREIGN = (
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_TOKEN_CREDENTIALS",
    "AZUREML_CURRENT_CLOUD",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
)
"""What would lead the app's identity to the real Azure of whoever runs the sandbox."""
LOOPBACK = "127.0.0.1,localhost"


class Environment:
    """Settings that hold from `put` to `restore`."""

    def __init__(self, variables: MutableMapping[str, str] = os.environ) -> None:
        self._variables = variables
        self._before: dict[str, str | None] = {}

    def put(self, settings: Mapping[str, str], without: Iterable[str] = FOREIGN) -> None:
        """Set these, take those away, and keep proxies out of the way to loopback."""
        direct = {name: self._direct(name) for name in ("NO_PROXY", "no_proxy")}
        for name in without:
            self._change(name, None)
        for name, value in {**direct, **settings}.items():
            self._change(name, value)

    def restore(self) -> None:
        """Set everything back to what it was."""
        for name, value in self._before.items():
            self._write(name, value)
        self._before.clear()

    def _direct(self, name: str) -> str:
        known = self._variables.get(name)
        return f"{known},{LOOPBACK}" if known else LOOPBACK

    def _change(self, name: str, value: str | None) -> None:
        self._before.setdefault(name, self._variables.get(name))
        self._write(name, value)

    def _write(self, name: str, value: str | None) -> None:
        if value is None:
            self._variables.pop(name, None)
        else:
            self._variables[name] = value
