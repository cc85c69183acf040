"""Judges a new deployment from its metrics. Pure: metrics and parameters in, a verdict with a text out.

Metrics that are late, missing, malformed, or from too few requests are `unclear`, never healthy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from mlevents.actions.deploy_model.metric_check import Check, limit
from mlevents.actions.deploy_model.metric_silence import Exposure, find_silences
from mlevents.actions.deploy_model.metric_totals import (
    Totals,
    extend_window,
    is_readable,
    minutes_within,
    percentile,
    spell_metric,
    spell_value,
    sum_minutes,
)
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.canonical import fold
from mlevents.orchestration.json_message import JsonMessage, read_each
from mlevents.orchestration.step_status import CheckReading
from mlevents.services.metrics import Minute, Minutes

Verdict = Literal["healthy", "breached", "unclear"]
Move = Literal["promote", "hold", "fail", "stop"]
ANYWHERE = Exposure()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the metrics say at one moment, in one word and for people.

    `scarce` says of an unclear one that there are only too few requests: nothing speaks against it. `checks`
    are the values that were compared.
    """

    verdict: Verdict
    words: str
    scarce: bool = False
    checks: tuple[CheckReading, ...] = ()


@dataclass(frozen=True, slots=True)
class PhaseState:
    """How far a phase is: seconds so far, how long it should and may take, readings beyond a limit.

    `excused` says that too few requests are no reason to stay.
    """

    elapsed: float
    lasting: float
    longest: float
    breaches: int = 0
    forgiven: int = 0
    excused: bool = False


@dataclass(frozen=True, slots=True)
class Observation(JsonMessage):
    """What `observe` tells the orchestrator; `excused` says that too few requests are no reason to stay."""

    verdict: Verdict
    excused: bool = False
    checks: tuple[CheckReading, ...] = ()

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"checks": read_each(CheckReading.from_json)}


@dataclass(frozen=True, slots=True)
class Sides:
    """The readable minutes of the new deployment and of those that serve beside it."""

    new: Sequence[Minute]
    stable: Sequence[Sequence[Minute]]


def decide_move(verdict: Verdict, state: PhaseState) -> Move:
    """What follows from a reading; `state.breaches` counts this one already."""
    if verdict == "breached" and state.breaches > state.forgiven:
        return "fail"
    good = verdict == "healthy" or (verdict == "unclear" and state.excused)
    if good and state.elapsed >= state.lasting:
        return "promote"
    return "stop" if state.elapsed >= state.longest else "hold"


def judge_phase(
    rollout: Rollout,
    minutes: Minutes,
    deployment: str,
    stable: Sequence[str],
    exposure: Exposure = ANYWHERE,
) -> Reading:
    """The reading of a phase; `stable` are the deployments that serve beside the new one, if any do."""
    sides = Sides(_readable(minutes, deployment), [_readable(minutes, name) for name in stable])
    others = [minute for those in sides.stable for minute in those]
    readings = [
        *_malformed(rollout, minutes, (deployment, *stable)),
        *(
            Reading("unclear", one.words, one.scarce)
            for one in find_silences(rollout.needed, sides.new, others, exposure)
        ),
        *(
            judge_check(check, rollout.needed, sides)
            for check in rollout.checks
            if check.of is None or stable
        ),
    ]
    return combine_readings(readings)


def combine_readings(readings: Sequence[Reading]) -> Reading:
    """The worst of several readings, with the words of all."""
    unclear = [one for one in readings if one.verdict == "unclear"]
    verdict: Verdict = "unclear" if unclear else "healthy"
    if any(one.verdict == "breached" for one in readings):
        verdict = "breached"
    scarce = verdict == "unclear" and all(one.scarce for one in unclear)
    words = ", ".join(one.words for one in readings) or "nothing to check"
    return Reading(verdict, words, scarce, tuple(check for one in readings for check in one.checks))


def judge_check(check: Check, needed: int, sides: Sides) -> Reading:
    """The reading of one check: the new deployment's value against its limits."""
    window = extend_window(sides.new, check.window, needed)
    new, old = sum_minutes([sides.new], window), sum_minutes(sides.stable, window)
    reading = compare_value(check, needed, new, old)
    base, value = old.value(check.metric), new.value(check.metric)
    comparable = check.of is None or base is not None
    least, most = (resolve_limit(check, name, base) if comparable else None for name in ("min", "max"))
    record = CheckReading(check.metric, reading.verdict, value, least, most, base if check.of else None)
    return replace(reading, checks=(record,))


def compare_value(check: Check, needed: int, new: Totals, old: Totals) -> Reading:
    """What the totals of the new deployment, and of those that serve beside it, say of one check."""
    metric = check.metric
    base, value = old.value(metric), new.value(metric)
    if value is None:
        return Reading("unclear", f"{spell_metric(metric)} is not known", scarce=not new.requests)
    if check.of == "stable" and base is None:
        whose = f"{spell_metric(metric)} of the stable deployment"
        return Reading("unclear", f"{whose} is not known", scarce=not old.requests)
    least, most = resolve_limit(check, "min", base), resolve_limit(check, "max", base)
    words = f"{spell_metric(metric)} {spell_value(metric, value)}"
    if most is not None and value > most:
        verdict: Verdict = "breached" if _is_certain(metric, new, needed, most) else "unclear"
        return Reading(verdict, f"{words}, beyond {spell_value(metric, most)}")
    if least is not None and value < least:
        few = metric == "requests"
        verdict = "breached" if not few and (metric == "error_rate" or new.requests >= needed) else "unclear"
        return Reading(verdict, f"{words}, below {spell_value(metric, least)}", scarce=few)
    end = most if most is not None else least
    return Reading("healthy", f"{words} of {spell_value(metric, end or 0.0)}")


def _is_certain(metric: str, new: Totals, needed: int, most: float) -> bool:
    """Whether a value beyond its limit is a breach: with too few requests, only errors can show it.

    They do when there are too many even if every further request succeeds.
    """
    if metric == "error_rate":
        return new.errors / max(new.requests, needed) > most
    return new.requests >= needed


def resolve_limit(check: Check, name: str, base: float | None) -> float | None:
    """A check's limit; one that is a factor becomes a limit by the stable deployment's value."""
    value = limit(check, name)
    if value is None or check.of is None:
        return value
    slack = (limit(check, "plus") or 0.0) * (1 if name == "max" else -1)
    return value * (base or 0.0) + slack


def percentiles(rollout: Rollout) -> set[str]:
    """The percentiles that the checks need."""
    return {percentile(check.metric) for check in rollout.checks if check.metric.startswith("latency")}


def _readable(minutes: Minutes, name: str) -> list[Minute]:
    return [minute for minute in minutes.get(fold(name), ()) if is_readable(minute)]


def _malformed(rollout: Rollout, minutes: Minutes, names: Sequence[str]) -> Iterator[Reading]:
    """What Azure Monitor said that is not a number: whatever else it says of these minutes may be wrong."""
    windows = [check.window for check in rollout.checks]
    reach = None if None in windows else max((one for one in windows if one), default=None)
    for name in names:
        count = sum(not is_readable(one) for one in minutes_within(minutes.get(fold(name), ()), reach))
        if count:
            yield Reading("unclear", f"the metrics of '{name}' cannot be read in {count} min")
