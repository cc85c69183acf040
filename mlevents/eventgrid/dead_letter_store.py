"""Where dead letters are kept: a container of Azure Storage, or a folder or file with the same content.

Event Grid writes blobs as `<SUBSCRIPTION>/<year>/<month>/<day>/<hour>/<guid>.json`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from mlevents.errors import ActionError, ConfigError, EventError
from mlevents.events.dead_letter import DeadLetter, read_dead_letters
from mlevents.services.blob_container import BlobContainer, ContainerAddress, StoredBlob


class DeadLetterStore(Protocol):
    """Lists and reads blobs; raises ActionError or OSError."""

    def list_blobs(self, since: datetime | None = None, /) -> Iterator[StoredBlob]:
        """Every blob, in order of names; those that have no event since then may be left out."""
        ...

    def read(self, name: str, /) -> bytes:
        """The content of one."""
        ...


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """One dead letter and the blob in which it is; `letter` is an error where it cannot be read."""

    blob: str
    letter: DeadLetter | EventError


class LetterFolder:
    """A folder with its subfolders, or one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def list_blobs(self, _: datetime | None = None, /) -> Iterator[StoredBlob]:
        """Every file below the folder that is not hidden, or the file itself."""
        found = sorted(self._path.rglob("[!.]*")) if self._path.is_dir() else [self._path]
        for file in found:
            if file.is_file():
                state = file.stat()
                modified = datetime.fromtimestamp(state.st_mtime, UTC)
                yield StoredBlob(str(file), modified, state.st_size)

    def read(self, name: str, /) -> bytes:
        """The content of a file."""
        return Path(name).read_bytes()


def open_store(place: str) -> DeadLetterStore:
    """The container at a URL, or the folder or file of this name; raises ConfigError if there is none."""
    if "://" in place:
        return BlobContainer(ContainerAddress.parse(place))
    path = Path(place)
    if not path.exists():
        raise ConfigError(f"{place}: does not exist: name a folder, a file, or a container's https address")
    return LetterFolder(path)


def read_blob(store: DeadLetterStore, blob: StoredBlob) -> list[StoredLetter]:
    """The dead letters of one blob; one that cannot be read, or is empty, is an error in its place."""
    try:
        found: list[DeadLetter | EventError] = read_dead_letters(store.read(blob.name))
    except (EventError, ActionError, OSError) as error:
        found = [EventError(_describe(error))]
    return [StoredLetter(blob.name, one) for one in found or [EventError("it holds no event")]]


def _describe(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
