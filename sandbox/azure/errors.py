"""The errors of Azure Resource Manager and of its resource providers."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

LOCATION = "westeurope"


class ArmError(Exception):
    """A refusal: an HTTP status, a code, and a message for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(message)

    def body(self) -> dict[str, Any]:
        """The body of the answer; Resource Manager's own refusals have code and message alone."""
        return {"error": {"code": self.code, "message": self.message}}

    def response(self) -> web.Response:
        """The HTTP answer."""
        return web.json_response(self.body(), status=self.status, headers=self.headers())

    def headers(self) -> Mapping[str, str]:
        """Headers beyond the usual."""
        return {}


class UnauthorizedError(ArmError):
    """The bearer token is missing or not accepted."""

    def __init__(self, code: str, message: str, tenant: str) -> None:
        self.tenant = tenant
        super().__init__(401, code, message)

    def headers(self) -> Mapping[str, str]:
        """The challenge, as Resource Manager words it."""
        text = self.message.replace('"', "'")
        return {
            "WWW-Authenticate": f'Bearer authorization_uri="https://login.windows.net/{self.tenant}", '
            f'error="invalid_token", error_description="{text}"'
        }


class ProviderError(ArmError):
    """A refusal by Azure Machine Learning, which adds details and where it happened."""

    def __init__(
        self, status: int, code: str, message: str, details: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.details = [dict(detail) for detail in details]
        super().__init__(status, code, message)

    def body(self) -> dict[str, Any]:
        """The body, with the context that Azure Machine Learning adds."""
        context = {
            "ComponentName": "managementfrontend",
            "Correlation": {"operation": uuid.uuid4().hex, "request": uuid.uuid4().hex[:16]},
            "Environment": LOCATION,
            "Location": LOCATION,
            "Time": datetime.now(UTC).isoformat(),
        }
        more = [{"type": name, "info": {"value": value}} for name, value in context.items()]
        error = {"code": self.code, "message": self.message, "details": self.details, "additionalInfo": more}
        return {"error": error}


def user_error(message: str, **details: str) -> ProviderError:
    """400 UserError; each detail is a code with its message."""
    listed = [{"code": code, "message": text} for code, text in details.items()]
    return ProviderError(400, "UserError", message, listed)


def not_found(path: str, code: str = "NotFound") -> ProviderError:
    """404 for a resource of the workspace."""
    return ProviderError(404, code, f"The resource {path} was not found.")


def conflict(message: str) -> ProviderError:
    """409: another operation is under way."""
    return ProviderError(409, "Conflict", message)
