"""Mail addresses in rules: checked when the rules load, or when their app setting is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from mlevents.errors import PermanentError
from mlevents.services.connection import SettingName, SettingSource, Text, describe_value

MAIL_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\\\"\x00-\x1f\x7f]+@[^@\s<>()\[\],;:\\\"\x00-\x1f\x7f]+")


def _literal(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str) and not MAIL_ADDRESS.fullmatch(value):
        raise ValueError(f"'{value}' is not a valid mail address: write name@example.com")
    return value


Address = Annotated[Text, AfterValidator(_literal)]
"""One address, or the app setting that holds it."""

Addresses = Annotated[list[Address], Field(min_length=1)]
"""Receivers; an app setting may hold several, separated by commas."""


def read_address(value: str | SettingName, services: SettingSource) -> str:
    """The address; raises PermanentError for a setting with an invalid address."""
    return _checked(services.text(value), value)


def read_addresses(values: Iterable[str | SettingName], services: SettingSource) -> list[str]:
    """Every address once, in order; raises PermanentError for a setting with an invalid address."""
    texts = ((part.strip(), value) for value in values for part in services.text(value).split(","))
    return list(dict.fromkeys(_checked(text, value) for text, value in texts if text))


def _checked(text: str, value: str | SettingName) -> str:
    if MAIL_ADDRESS.fullmatch(text):
        return text
    raise PermanentError(f"{describe_value(value, text)} is not a valid mail address: write name@example.com")
