"""Is the app healthy: does it accept deliveries."""

from dataclasses import asdict, dataclass
from typing import Literal

from mlevents.api.dead_letter_view import DeadLetterView, read_dead_letter_view
from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, operation
from mlevents.errors import ConfigError


@dataclass(frozen=True, slots=True)
class HealthState:
    """Whether deliveries are accepted."""

    status: Literal["ok", "failing"]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The same with the reasons why not; `warnings` are what `check` warns of, in the rules that run.

    `dead_letters` is null where the app does not know their container.
    """

    status: Literal["ok", "failing"]
    problems: list[str]
    warnings: list[str]
    dead_letters: DeadLetterView | None = None


FAILING = {503: HealthState}


@operation("Health", answer=HealthState, answers=FAILING)
async def read_health(_: ApiRequest, app: AppState) -> ApiAnswer:
    """Whether the app accepts deliveries.

    200 or 503, without a reason: anyone may ask.
    """
    failing = bool(app.problems())
    return ApiAnswer({"status": "failing" if failing else "ok"}, 503 if failing else 200)


@operation(
    "HealthUnversioned",
    answer=HealthState,
    answers=FAILING,
    deprecated=True,
)
async def read_health_unversioned(request: ApiRequest, app: AppState) -> ApiAnswer:
    """The same at its older address."""
    return await read_health(request, app)


@operation("HealthDetails", answer=HealthReport, answers={503: HealthReport})
async def read_health_details(_: ApiRequest, app: AppState) -> ApiAnswer:
    """Whether the app accepts deliveries, and each problem and warning of settings and rule file."""
    found = app.problems()
    letters = await read_dead_letter_view(app)
    report = HealthReport("failing" if found else "ok", found, find_warnings(app), letters)
    return ApiAnswer(asdict(report), 503 if found else 200)


def find_warnings(app: AppState) -> list[str]:
    """What `check` warns of in the rules that run; nothing while they cannot be used."""
    try:
        return [str(warning) for warning in app.rules().warnings]
    except ConfigError:
        return []
