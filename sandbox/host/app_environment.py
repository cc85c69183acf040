"""The app's environment in the sandbox: that of this process, with Azure's settings in it."""

import re
from collections.abc import Mapping

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
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)
"""What would lead the app to the real Azure of whoever runs the sandbox, or out of this machine."""
LOOPBACK = "127.0.0.1,localhost"
INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
LOCAL_INSIGHTS = re.compile(r"IngestionEndpoint=https?://(?:127\.0\.0\.1|localhost)[:/]", re.IGNORECASE)
"""A connection string that leads to a program on this machine, and not to Azure."""


def app_environment(variables: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """These variables without FOREIGN and with the settings; proxies stay out of the way to loopback."""
    direct = {name: _direct(variables.get(name)) for name in ("NO_PROXY", "no_proxy")}
    kept = {name: value for name, value in variables.items() if name not in FOREIGN}
    if not LOCAL_INSIGHTS.search(kept.get(INSIGHTS, "")):
        kept.pop(INSIGHTS, None)
    return {**kept, **direct, **settings}


def _direct(known: str | None) -> str:
    return f"{known},{LOOPBACK}" if known else LOOPBACK
