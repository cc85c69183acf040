"""A repository of GitHub, GitHub Enterprise Cloud or GitHub Enterprise Server.

```yaml
connections:
  ml-cd:
    type: github
    repository: example/ml-cd
    app_id: "123456"                           # a GitHub App, which is installed in the repository
    private_key: {setting: GITHUB_APP_KEY}
  ml-cd-by-token:
    type: github
    repository: example/ml-cd
    token: {setting: GITHUB_TOKEN}             # or a fine-grained personal access token
    base: https://github.example.com/api/v3    # GitHub Enterprise Server
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from mlevents.errors import PermanentError
from mlevents.services.connection import Connection, SettingName, SettingSource, Text, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.github.app_token import GitHubApp
from mlevents.services.github.issues import Issues
from mlevents.services.github.repository import Repository
from mlevents.services.http.connection import read_base
from mlevents.services.http.http_client import HttpClient
from mlevents.yamlfile.key_choice import KeyChoice, check_key_choices

REPOSITORY = re.compile(r"[A-Za-z0-9][\w-]{0,99}/(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
PUBLIC_API = "https://api.github.com"


def _repository(text: str) -> str:
    if REPOSITORY.fullmatch(text):
        return text
    raise ValueError(f"'{text}' is not a repository: write owner/name, such as example/ml-cd")


def _base(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str):
        read_base(value, "`base`", allow_private=True)
    return value


@connection("github")
class GitHub(Connection):
    """A repository whose workflows and issues actions use, as a GitHub App or by a token."""

    model_config = ConfigDict(hide_input_in_errors=True)
    synonyms: ClassVar[tuple[str, ...]] = ("gh", "github_app", "github_actions")
    example: ClassVar[str] = "`{type: github, repository: owner/name, token: {setting: NAME}}`"

    item_options: ClassVar[tuple[str, ...]] = ()

    repository: Annotated[str, AfterValidator(_repository)]
    """write the repository as owner/name."""
    token: Annotated[SettingName | None, Field(repr=False)] = None
    """write the app setting that holds a personal access token, as `{setting: NAME}`."""
    app_id: Text | None = None
    """write the id of the GitHub App, or its client id, as text."""
    private_key: Annotated[SettingName | None, Field(repr=False)] = None
    """write the app setting that holds the private key of the GitHub App (PEM), as `{setting: NAME}`."""
    base: Annotated[Text, AfterValidator(_base)] = PUBLIC_API
    """Where the REST API is: `https://HOST/api/v3` of GitHub Enterprise Server."""
    allow_private: bool = False
    """Allows private addresses, and `http://`, for a GitHub Enterprise Server in your own network."""

    @model_validator(mode="after")
    def _choose_proof(self) -> Self:
        check_key_choices(self, (KeyChoice("token"), KeyChoice("app_id", "private_key")))
        return self

    def open(self, services: SettingSource, permissions: Mapping[str, str]) -> Repository:
        """The repository, with these permissions where a GitHub App asks for a token.

        Raises ConfigError for a setting that is not set, PermanentError for one that cannot be used.
        """
        named = f"the app setting '{self.base.setting}'" if isinstance(self.base, SettingName) else "`base`"
        try:
            text, quoted = services.text(self.base), isinstance(self.base, str)
            base = read_base(text, named, allow_private=self.allow_private, quoted=quoted)
        except ValueError as error:
            raise PermanentError(str(error)) from None
        client = HttpClient(self.allow_private, services.settings.environment.get("REQUESTS_CA_BUNDLE"))
        return Repository(self.repository, base, client, self._find_proof(services), permissions)

    def open_tracker(self, services: SettingSource) -> Issues:
        """The issues of the repository."""
        return Issues(self.open(services, {"issues": "write"}))

    def _find_proof(self, services: SettingSource) -> str | GitHubApp:
        """What proves who calls: a token, or the key of a GitHub App."""
        if self.token is not None:
            return services.text(self.token).strip()
        if self.app_id is None or self.private_key is None:
            raise PermanentError("the connection has no token and no GitHub App: give it one of them")
        key = services.text(self.private_key)
        return GitHubApp(services.text(self.app_id).strip(), key, self.private_key.setting)

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Read the repository."""

        def is_visible() -> str:
            return f"exists, {self.open(services, {'metadata': 'read'}).read_visibility()}"

        about = f"repository '{self.repository}'"
        yield run_check(about, is_visible, "correct the connection, or its app settings")
