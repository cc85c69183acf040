"""The size that an environment gives the deployments of a template."""

import json
from typing import Annotated, Any

from pydantic import Field

from mlevents.rules.model import StrictModel
from mlevents.yamlfile.positions import Document
from mlevents.yamlfile.reader import parse_yaml, split_lines
from mlevents.yamlfile.scalars import to_plain_numbers


class TemplateSize(StrictModel):
    """The size of the deployments that a template creates."""

    instance_type: Annotated[str | None, Field(min_length=1)] = None
    """The virtual machine size, such as Standard_DS3_v2."""
    instance_count: Annotated[int | None, Field(ge=1)] = None
    """The number of instances."""

    def apply(self, text: str) -> str:
        """The text of a template with this size; a text with a problem stays as it is."""
        _, wanted = self._merge(text)
        return text if wanted is None else json.dumps(wanted, indent=2, ensure_ascii=False)

    def edit(self, text: str) -> str:
        """As `apply`, with each line where it was, if the template's style allows that."""
        document, wanted = self._merge(text)
        if wanted is None:
            return text
        lines = split_lines(text)
        for key, value in self._members.items():
            written = f"{' ' * (document.start[1] - 1)}{key}: {json.dumps(value)}"
            if key in document.value:
                lines[document.place(key)[0] - 1] = written
            else:
                lines.append(written)
        edited = parse_yaml("\n".join(lines), "")
        if edited.problems or edited.value != wanted:
            return json.dumps(wanted, ensure_ascii=False)
        return "\n".join(lines)

    @property
    def _members(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)

    def _merge(self, text: str) -> tuple[Document, dict[str, Any] | None]:
        """A template, and its value with this size; None where it has a problem, or is no mapping."""
        document = parse_yaml(text, "")
        if document.problems or not isinstance(document.value, dict):
            return document, None
        return document, to_plain_numbers(document.value) | self._members
