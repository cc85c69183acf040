"""Names of endpoints and deployments, made from a model's name or a tag.

Azure ML wants 3 to 32 letters, digits and single dashes, beginning with a letter, and compares
names without regard to case.
"""

import hashlib
import re
import unicodedata

from mlevents.errors import PermanentError

SHORTEST_ENDPOINT_NAME, LONGEST_ENDPOINT_NAME = 3, 32
ENDPOINT_NAME_PATTERN = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])*", re.ASCII)
PLAIN = re.compile(r"[a-z](?:-?[a-z0-9])*", re.ASCII)


def endpoint_name(text: str) -> str:
    """The text if it is a valid name in Azure ML, else the most similar valid name.

    Raises PermanentError for a text without letters and digits. Two texts may give the same name, but not
    because they were cut: a cut name ends in a hash.
    """
    if _fits(text):
        return text
    return _fitted(_slug(text), text)


def deployment_name(model: str, version: str) -> str:
    """The deployment's name for this version of this model.

    Different models or versions give different names: unless the name shows model and version exactly, it
    ends in a hash of both (`-x` and seven digits, which no other name ends in).
    """
    plain = f"{model}-{version}"
    if PLAIN.fullmatch(model) and version.isascii() and version.isdigit() and _fits(plain):
        return plain
    return _hashed(_slug(plain), f"{model}:{version}")


def _fits(name: str) -> bool:
    return (
        SHORTEST_ENDPOINT_NAME <= len(name) <= LONGEST_ENDPOINT_NAME
        and ENDPOINT_NAME_PATTERN.fullmatch(name) is not None
    )


def _slug(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")
    if not slug:
        raise PermanentError(
            f"'{text}' gives no valid endpoint or deployment name: use {SHORTEST_ENDPOINT_NAME} to "
            f"{LONGEST_ENDPOINT_NAME} letters, digits and single dashes, beginning with a letter"
        )
    return slug if slug[0].isalpha() else f"m-{slug}"


def _fitted(slug: str, text: str) -> str:
    return slug if _fits(slug) else _hashed(slug, text)


def _hashed(slug: str, text: str) -> str:
    mark = f"-x{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:7]}"
    return f"{slug[: LONGEST_ENDPOINT_NAME - len(mark)].rstrip('-')}{mark}"
