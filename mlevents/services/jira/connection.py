"""A project of Jira Cloud.

```yaml
connections:
  ml-jira:
    type: jira
    site: https://example.atlassian.net
    project: ML
    user: mlops@example.com
    token: {setting: JIRA_TOKEN}
```
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field

from mlevents.errors import PermanentError
from mlevents.services.connection import Connection, SettingName, SettingSource, Text, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.http.connection import read_base
from mlevents.services.http.http_client import HttpClient
from mlevents.services.http.rest_client import RestClient
from mlevents.services.jira.issues import JiraIssues, translate_jira_refusal

PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,99}", re.ASCII)


def _site(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str):
        read_base(value, "`site`", allow_private=True)
    return value


def _project(text: str) -> str:
    if PROJECT_KEY.fullmatch(text):
        return text
    raise ValueError(f"'{text}' is not the key of a project: write one such as ML")


@connection("jira")
class Jira(Connection):
    """A project of Jira Cloud in which `create_work_item` creates issues."""

    model_config = ConfigDict(hide_input_in_errors=True)
    synonyms: ClassVar[tuple[str, ...]] = ("atlassian",)
    example: ClassVar[str] = "`{type: jira, site: https://…, project: ML, user: …, token: {setting: NAME}}`"
    item_options: ClassVar[tuple[str, ...]] = ("type", "fields")

    site: Annotated[Text, AfterValidator(_site)]
    """write the address of the site, such as https://example.atlassian.net."""
    project: Annotated[str, AfterValidator(_project)]
    """write the key of the project, such as ML."""
    user: Text
    """write the mail address of the account that creates the issues."""
    token: Annotated[SettingName, Field(repr=False)]
    """write the app setting that holds an API token of this account, as `{setting: NAME}`."""
    allow_private: bool = False
    """Allows private addresses, and `http://`, for a gateway in your own network."""

    def open_tracker(self, services: SettingSource) -> JiraIssues:
        """The issues of the project; raises ConfigError or PermanentError."""
        named = f"the app setting '{self.site.setting}'" if isinstance(self.site, SettingName) else "`site`"
        try:
            text, quoted = services.text(self.site), isinstance(self.site, str)
            base = read_base(text, named, allow_private=self.allow_private, quoted=quoted)
        except ValueError as error:
            raise PermanentError(str(error)) from None
        client = HttpClient(self.allow_private, services.settings.environment.get("REQUESTS_CA_BUNDLE"))
        proof = b64encode(f"{services.text(self.user)}:{services.text(self.token).strip()}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Basic {proof}",
        }
        rest = RestClient(f"{base}/rest/api/3", client, lambda: headers, translate_jira_refusal)
        return JiraIssues(rest, base, self.project)

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Read the project."""

        def is_visible() -> str:
            return self.open_tracker(services).read_name()

        yield run_check(
            f"project '{self.project}'", is_visible, "correct the connection, or its app settings"
        )
