"""Answers of GitHub: a refusal has a message, a status as text, and a link to the documentation."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

DOCUMENTATION = "https://docs.github.com/rest"


class GitHubError(Exception):
    """A refusal with this HTTP status."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers
        super().__init__(message)

    def answer(self) -> web.Response:
        """As GitHub words it."""
        body = {"message": str(self), "documentation_url": DOCUMENTATION, "status": str(self.status)}
        return web.json_response(body, status=self.status, headers=self.headers)


def not_found_error() -> GitHubError:
    """What GitHub says of what does not exist, and of what the caller may not see."""
    return GitHubError(404, "Not Found")


def require_keys(body: Any, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    """The body, a JSON object with these keys; raises GitHubError 422 as GitHub's schema check does."""
    if not isinstance(body, dict):
        raise GitHubError(400, "Problems parsing JSON")
    for key in body:
        if key not in (*required, *optional):
            raise GitHubError(422, f'Invalid request.\n\n"{key}" is not a permitted key.')
    for key in required:
        if key not in body:
            raise GitHubError(422, f'Invalid request.\n\n"{key}" wasn\'t supplied.')
    return body
