"""Names of endpoints and deployments, made of what others wrote: a model's name, a tag.

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
    """The text itself where Azure ML takes it as a name, else the nearest name to it.

    Raises PermanentError for a text in which nothing is left. Two texts may come out as one name,
    but not by being cut: what is cut carries a hash.
    """
    if _fits(text):
        return text
    return _fitted(_slug(text), text)


def deployment_name(model: str, version: str) -> str:
    """The one name under which this version of this model is deployed.

    Different models or versions give different names: unless model and version can be read off the
    name again, it ends in a hash of both (`-x` and seven digits, which no plain name ends in).
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
