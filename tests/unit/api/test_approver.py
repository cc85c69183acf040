"""Whose approval counts: `by` and four eyes hold only for people whom App Service vouches for."""

import base64
import json
from typing import Any

import pytest

from mlevents.api.approval_state import waits_for_approval
from mlevents.api.approver import refuse_approver
from mlevents.gates.approve.record import ApprovalRecord

ADA = "11111111-1111-1111-1111-111111111111"
GROUP = "22222222-2222-2222-2222-222222222222"
OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def asked(**terms: Any) -> ApprovalRecord:
    return ApprovalRecord("k", "approve", "waiting", "", "2999-01-01T00:00:00+00:00", **terms)


def principal(*claims: tuple[str, str]) -> dict[str, str]:
    document = {"claims": [{"typ": name, "val": value} for name, value in claims]}
    return {
        "x-ms-client-principal": base64.b64encode(json.dumps(document).encode()).decode(),
        "x-ms-client-principal-name": next((value for name, value in claims if name != "groups"), ""),
        "x-ms-client-principal-id": next((value for name, value in claims if name == OID), "x"),
    }


SIGNED_IN = principal(
    ("preferred_username", "Ada@Example.com"),
    ("name", "Ada L."),
    (OID, ADA),
    ("groups", GROUP),
    ("roles", "Lead"),
)


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")


@pytest.mark.parametrize("terms", [{"by": ("ada@example.com",)}, {"not_by": "author"}])
def test_without_sign_in_no_terms_are_fulfilled(monkeypatch: pytest.MonkeyPatch, terms: dict[str, Any]):
    monkeypatch.delenv("WEBSITE_AUTH_ENABLED", raising=False)
    author = {"name": "grace@example.com", "type": "User"}
    for headers in ({}, SIGNED_IN):
        assert "nobody is signed in" in (refuse_approver(asked(**terms, author=author), headers) or "")
    assert refuse_approver(asked(), {}) is None


@pytest.mark.parametrize("name", ["ada@example.com", "ADA@EXAMPLE.COM", ADA, ADA.upper(), GROUP, "lead"])
@pytest.mark.usefixtures("sign_in")
def test_a_sign_in_name_an_object_id_a_group_or_a_role_may_approve(name: str):
    assert refuse_approver(asked(by=("grace@example.com", name)), SIGNED_IN) is None


@pytest.mark.parametrize("name", ["grace@example.com", "Ada L.", "ada", "example.com"])
@pytest.mark.usefixtures("sign_in")
def test_nobody_else_may_and_a_display_name_is_none(name: str):
    refused = refuse_approver(asked(by=(name,)), principal(("name", "Ada L."), ("groups", GROUP)))
    assert refused == f"you are not among those who may approve: {name}"


@pytest.mark.usefixtures("sign_in")
def test_who_is_not_signed_in_may_not_approve():
    assert "nobody is signed in" in (refuse_approver(asked(by=("ada@example.com",)), {}) or "")


@pytest.mark.parametrize("author", ["ada@example.com", "Ada L.", ADA])
@pytest.mark.usefixtures("sign_in")
def test_the_author_may_not_approve(author: str):
    refused = refuse_approver(asked(not_by="author", author={"name": author, "type": "User"}), SIGNED_IN)
    assert refused == f"you registered the model ('{author}'): another person must approve it"


@pytest.mark.parametrize("author", ["grace@example.com", "Grace H.", GROUP])
@pytest.mark.usefixtures("sign_in")
def test_somebody_else_may(author: str):
    assert refuse_approver(asked(not_by="author", author={"name": author, "type": "User"}), SIGNED_IN) is None


@pytest.mark.parametrize(
    "author",
    [
        None,
        {},
        {"name": "", "type": "User"},
        {"name": ADA, "type": "Application"},
        {"name": "job", "type": ""},
    ],
)
@pytest.mark.usefixtures("sign_in")
def test_an_author_that_is_no_person_or_unknown_never_passes(author: dict[str, str] | None):
    refused = refuse_approver(asked(not_by="author", author=author), SIGNED_IN)
    assert (refused or "").startswith("`not_by: author` cannot be checked: the model was registered by")


@pytest.mark.usefixtures("sign_in")
def test_an_author_that_cannot_be_compared_never_passes():
    only_id = principal((OID, ADA))
    refused = refuse_approver(asked(not_by="author", author={"name": "g@x.org", "type": "User"}), only_id)
    assert refused == "`not_by: author` cannot be checked: your sign-in has no name to compare with 'g@x.org'"


@pytest.mark.parametrize(
    ("status", "because", "waits"),
    [
        ("waiting", "approve: asked people for an approval", True),
        ("waiting", "approvals-of-mine: waits", False),
        ("waiting", None, False),
        ("stopped", "approve: rejected by ada", False),
    ],
)
def test_a_response_waits_for_an_approval_at_that_gate_alone(status: str, because: str | None, waits: bool):
    assert waits_for_approval(status, because) is waits


@pytest.mark.usefixtures("sign_in")
def test_a_mail_address_is_no_sign_in_name_though_an_author_may_be_known_by_it():
    headers = principal(("email", "grace@example.com"), ("preferred_username", "mallory@example.com"))
    assert "not among those" in (refuse_approver(asked(by=("grace@example.com",)), headers) or "")
    author = {"name": "Grace@Example.com", "type": "User"}
    assert "you registered the model" in (
        refuse_approver(asked(not_by="author", author=author), headers) or ""
    )
