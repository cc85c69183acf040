"""A blob that Event Grid has written: a dead letter."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime


@dataclass(frozen=True, slots=True)
class WrittenBlob:
    """One blob: its content, and when it was written."""

    name: str
    content: bytes
    modified: datetime

    @property
    def headers(self) -> dict[str, str]:
        """What every answer says of it."""
        stamp = format_datetime(self.modified, usegmt=True)
        return {"Last-Modified": stamp, "ETag": f'"{abs(hash(self.name)):x}"', "x-ms-blob-type": "BlockBlob"}
