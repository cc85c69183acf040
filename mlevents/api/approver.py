"""Who may approve: the names of a signed-in person that App Service vouches for, against the rule's terms.

Without App Service authentication nobody is known, so no approval fulfils terms that name approvers.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.api.caller import KEY_HOLDER, identify_caller
from mlevents.gates.approve.record import ApprovalRecord

_SCHEMA = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MICROSOFT = "http://schemas.microsoft.com"
_SIGN_IN_CLAIMS = frozenset(("preferred_username", "upn", f"{_SCHEMA}/upn"))
_MAIL_CLAIMS = frozenset(("email", f"{_SCHEMA}/emailaddress"))
"""Mail addresses: the holder of an account may be able to choose its own, so none may approve by it."""
_OBJECT_CLAIMS = frozenset(("oid", f"{_MICROSOFT}/identity/claims/objectidentifier"))
_GROUP_CLAIMS = frozenset(
    (
        "groups",
        "roles",
        f"{_MICROSOFT}/ws/2008/06/identity/claims/role",
        f"{_MICROSOFT}/ws/2008/06/identity/claims/groups",
    )
)
_DISPLAY_CLAIMS = frozenset(("name", f"{_SCHEMA}/name"))
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PERSON = "user"
"""Azure's type of an author that is a person, in small letters."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, in small letters.

    Sign-in names, object ids, groups and roles, display names, mail addresses.
    """

    sign_ins: frozenset[str]
    objects: frozenset[str]
    groups: frozenset[str]
    displays: frozenset[str]
    mails: frozenset[str]

    @property
    def approver_names(self) -> frozenset[str]:
        """What `by` may hold; no display name or mail address, which their holder may choose."""
        return self.sign_ins | self.objects | self.groups


def read_signed_in(
    headers: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> SignedIn | None:
    """Who sends a request with these headers, whose names are in small letters; None if that is unknown."""
    if identify_caller(headers, environment) == KEY_HOLDER:
        return None
    claims = _read_claims(headers.get("x-ms-client-principal", ""))
    name = headers.get("x-ms-client-principal-name", "")
    mails = _select(claims, _MAIL_CLAIMS)
    return SignedIn(
        _select(claims, _SIGN_IN_CLAIMS, [name] if "@" in name and name.lower() not in mails else ()),
        _select(claims, _OBJECT_CLAIMS, [headers.get("x-ms-client-principal-id", "")]),
        _select(claims, _GROUP_CLAIMS),
        _select(claims, _DISPLAY_CLAIMS, [name] if "@" not in name else ()),
        mails,
    )


def refuse_approver(asked: ApprovalRecord, headers: Mapping[str, str]) -> str | None:
    """Why an approval by the sender of these headers does not count, or None."""
    if not asked.by and not asked.not_by:
        return None
    signed_in = read_signed_in(headers)
    if signed_in is None:
        terms = " and ".join(f"`{name}`" for name in ("by", "not_by") if getattr(asked, name))
        remedy = "turn on Entra sign-in for this app, then sign in"
        return f"the rule says {terms}, and nobody is signed in: {remedy}"
    if asked.by and not signed_in.approver_names & {one.lower() for one in asked.by}:
        return f"you are not among those who may approve: {', '.join(asked.by)}"
    return _refuse_author(asked.author or {}, signed_in) if asked.not_by else None


def _refuse_author(author: Mapping[str, str], signed_in: SignedIn) -> str | None:
    """Why the sender may be the author; an author that cannot be compared counts as the same."""
    name, kind = str(author.get("name") or ""), str(author.get("type") or "")
    if not name or kind.lower() != _PERSON:
        who = f"{kind} '{name}'" if name else "nobody that Azure ML names"
        return f"`not_by: author` cannot be checked: the model was registered by {who}, which is no person"
    wanted = name.lower()
    known = _choose_names(wanted, signed_in)
    if not known:
        return f"`not_by: author` cannot be checked: your sign-in has no name to compare with '{name}'"
    return f"you registered the model ('{name}'): another person must approve it" if wanted in known else None


def _choose_names(author: str, signed_in: SignedIn) -> frozenset[str]:
    """The names of the same kind as an author's: object ids, sign-in names or display names."""
    if _GUID.fullmatch(author):
        return signed_in.objects
    return signed_in.sign_ins | signed_in.mails if "@" in author else signed_in.displays


def _select(
    claims: Iterable[tuple[str, str]], wanted: frozenset[str], more: Iterable[str] = ()
) -> frozenset[str]:
    found = [value for name, value in claims if name.lower() in wanted]
    return frozenset(text.strip().lower() for text in (*found, *more) if text.strip())


def _read_claims(principal: str) -> list[tuple[str, str]]:
    """The claims of a principal, which is JSON in base64; none where it cannot be read."""
    try:
        document: Any = json.loads(base64.b64decode(principal))
        return [(str(one["typ"]), str(one["val"])) for one in document["claims"]]
    except (ValueError, TypeError, KeyError, binascii.Error):
        return []
