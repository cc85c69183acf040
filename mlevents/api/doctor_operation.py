"""The checks of `mlevents doctor`, made by the app itself, with its identity, settings and network."""

import asyncio
from dataclasses import dataclass

from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, operation
from mlevents.rules.model import Rules
from mlevents.settings import Settings


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One finding: `ok` is null for what was not checked, `remedy` what to do where it is not true."""

    part: str
    about: str
    ok: bool | None
    said: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Every finding in the order of the rule file; `ok` says that none of them is false."""

    ok: bool
    findings: list[DoctorFinding]


@operation("RunDoctor", answer=DoctorReport)
async def run_doctor(_: ApiRequest, app: AppState) -> ApiAnswer:
    """Check in Azure what the rules need, as `mlevents doctor` does, but with the app's own identity.

    It calls Azure for every resource that the rules name, and may take a minute. It changes nothing.
    """
    findings = await asyncio.to_thread(find_all, app.rules(), app.settings())
    return ApiAnswer({"ok": all(one["ok"] is not False for one in findings), "findings": findings})


def find_all(rules: Rules, settings: Settings) -> list[dict[str, object]]:
    """Every finding as JSON."""
    from mlevents.doctor.azure_checks import Doctor  # a cold start does not pay for it

    return [one.to_json() for one in Doctor(rules, settings).findings()]
