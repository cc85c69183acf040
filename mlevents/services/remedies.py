"""Remedies for refusals of Azure: the role, the name, the identity, the command."""

from __future__ import annotations

import re

ACTION = re.compile(r"perform(?:ing)? action '([^'\s]{3,200})'")
"""How Resource Manager names the action that an identity may not perform."""
PROVIDER = re.compile(r"\b(Microsoft\.\w+)\b")
FORBIDDEN = (
    "give the app's identity a role that allows {}: `mlevents doctor --needs` lists the roles, and "
    "infra/access.bicep (`azd provision`) assigns them; a new role takes effect after some minutes"
)
STATUS_REMEDIES = {
    401: "run the app as an identity of this tenant (AZURE_CLIENT_ID); `mlevents doctor` shows the identity",
    404: "create it, or correct its name in the rule file",
    410: "create it again, or name another one in the rule file",
    413: "send less: shorten the values that the rule inserts",
}

_LOG_IN = "correct `username` of the connection and the app setting that its `password` names"
MAIL_REMEDIES = {
    530: "the server requires a login: give the connection `username` and `password`, with `tls: starttls`",
    534: _LOG_IN,
    535: _LOG_IN,
    538: "the server requires encryption: give the connection `tls: starttls`",
    550: "correct `sender` and `to` of the connection, or ask the server's administrator to let it send",
    553: "correct `sender` of the connection",
}


def find_remedy(status: int, code: str, message: str) -> str:
    """The remedy in one sentence; empty when Azure's own message must be sufficient."""
    if code == "ScopeLocked":
        return "remove the lock on the resource (`az lock list`)"
    if code == "MissingSubscriptionRegistration":
        found = PROVIDER.search(message)
        return f"run `az provider register --namespace {found[1] if found else '<the one named>'}`"
    if status == 403:
        action = ACTION.search(message)
        return FORBIDDEN.format(f"'{action[1]}'" if action else "this")
    return STATUS_REMEDIES.get(status, "")


def find_mail_remedy(code: int) -> str:
    """The remedy for a mail server's reply, after a semicolon."""
    helps = MAIL_REMEDIES.get(code)
    return f"; {helps}" if helps else ""
