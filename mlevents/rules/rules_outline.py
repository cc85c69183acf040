"""What matching needs of rules that were loaded before, in a file beside them: their outline.

Most events match no rule, and a new worker can say so without loading the rules again: it reads the outline,
which needs neither YAML nor the actions. An outline is written of rules without a problem, when a package for
Azure is made and by each worker that has loaded them where it may write. It is used for the same files
alone, by the same code, and never says that an event matches: then the rules are loaded, as they are where
there is no outline. It may be deleted at any time.
"""

import hashlib
import logging
import os
import pickle
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mlevents.errors import ConfigError
from mlevents.events import Event
from mlevents.matching.index import Index
from mlevents.matching.match import match_rule
from mlevents.matching.where import Where
from mlevents.rules.rule_folder import find_beside, find_project, list_rule_files
from mlevents.settings import Settings
from mlevents.workspace_id import parse_workspace_key

if TYPE_CHECKING:
    from mlevents.rules.model import Rules

_PACKAGE = Path(__file__).parents[1]
_DECIDES = ("conditions", "events", "matching")
_VARIABLE = re.compile(r"\$\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}", re.ASCII)

log = logging.getLogger("mlevents")


@dataclass(frozen=True, slots=True)
class RuleOutline:
    """Of a rule what matching needs."""

    id: str
    event: tuple[str, ...]
    where: Where | None
    mode: str


@dataclass(frozen=True, slots=True)
class RulesOutline:
    """Of a rule file what matching needs; `workspaces` are their ids as written.

    `index` finds the rules that an event could match. `watches` says that a rule has to know of events that
    it does not match.
    """

    rules: tuple[RuleOutline, ...]
    index: Index
    workspaces: tuple[str, ...]
    watches: bool

    @classmethod
    def of(cls, rules: "Rules") -> Self:
        """The outline of rules that were loaded."""
        from mlevents.rules.tag_scope import asks_for_tags

        return cls(
            tuple(RuleOutline(one.id, one.event, one.where, one.mode) for one in rules.rules),
            Index(rules.rules),
            rules.written_workspaces,
            any("expect" in one.gates or asks_for_tags(one) for one in rules.rules),
        )

    def excludes(self, event: Event, settings: Settings) -> bool:
        """Whether it is certain that nothing is to be done about an event: no rule matches it, or watches it.

        An event of a workspace that is not listed is refused: that is something to be done.
        """
        if self.watches or settings.mode == "disabled" or not self._allows(event.topic, settings):
            return False
        could = map(self.rules.__getitem__, self.index.candidates(event))
        return not any(match_rule(one, event).matches for one in could)

    def _allows(self, topic: str, settings: Settings) -> bool:
        """Whether the workspace is certainly in the list; so it is where there is none."""
        try:
            known = {_VARIABLE.sub(lambda name: settings.value(name[1]), one) for one in self.workspaces}
        except ConfigError:
            return False
        key = parse_workspace_key(topic)
        return not known or (key is not None and key in map(parse_workspace_key, known))


def read_outline(settings: Settings) -> RulesOutline | None:
    """The outline of the rules of these settings; None if there is none that fits."""
    try:
        content = _find_file(settings).read_bytes()
        digest = make_digest(settings)
        if digest is None or content[: len(digest)] != digest:
            return None
        found = pickle.loads(content[len(digest) :])
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the rules themselves are there
        return None
    return found if isinstance(found, RulesOutline) else None


def write_outline(rules: "Rules", settings: Settings, digest: bytes | None) -> None:
    """Keep the outline of rules that were loaded; `digest` is that of their files before they were read.

    Does nothing without a digest, nor where the folder cannot be written, as on Azure, nor where installed
    packages have elements, because nobody knows what else decides what their code answers.
    """
    from mlevents.rules.extension_packages import list_package_folders

    if digest is None or digest != make_digest(settings) or list_package_folders():
        return
    file = _find_file(settings)
    fresh = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(exist_ok=True)
        with fresh.open("wb") as content:
            content.write(digest)
            pickle.dump(RulesOutline.of(rules), content, pickle.HIGHEST_PROTOCOL)
        fresh.replace(file)
    except Exception as error:  # noqa: BLE001 - the rules are loaded, which is what matters
        log.debug("the outline of the rules is not kept: %s", error)
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def make_digest(settings: Settings) -> bytes | None:
    """What changes with the files that decide what matches, and with our code.

    None where there are extensions beside the rules, and where a file cannot be read.
    """
    if any(any(folder.glob("*.py")) for folder in find_beside(settings.rules, "extensions")):
        return None
    found = hashlib.sha256(_describe_code())
    try:
        for file in _list_files(settings):
            content = file.read_bytes()
            found.update(f"{file.name}\0{len(content)}\0".encode())
            found.update(content)
    except OSError:
        return None
    return found.digest()


def _list_files(settings: Settings) -> Iterator[Path]:
    yield from list_rule_files(settings.rules)
    if name := settings.rule_environment:
        folders = find_beside(settings.rules, "environments")
        yield from (file for folder in folders if (file := folder / f"{name}.yaml").is_file())


@cache
def _describe_code() -> bytes:
    """The content of what decides whether a rule matches, and the names and sizes of our other modules.

    The times of files change when a package is made of them.
    """
    text = "\n".join(sorted(_list_sources(str(_PACKAGE))))
    decides = sorted(file for part in _DECIDES for file in (_PACKAGE / part).glob("*.py"))
    return b"".join([text.encode(), *(file.read_bytes() for file in decides)])


def _list_sources(folder: str) -> Iterator[str]:
    for one in os.scandir(folder):
        if one.name.endswith(".py"):
            yield f"{one.path[len(str(_PACKAGE)) :]} {one.stat().st_size}"
        elif one.is_dir() and one.name != "__pycache__":
            yield from _list_sources(one.path)


def _find_file(settings: Settings) -> Path:
    name = f"{settings.rules.stem}.{settings.rule_environment or 'default'}.outline"
    return find_project(settings.rules) / "__pycache__" / name
