"""Cuts an outcome to the maximum size of a custom status, 16 KB."""

from dataclasses import replace

from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.size_limits import CUSTOM_STATUS_UNITS, cut_name, cut_text, json_units
from mlevents.orchestration.step_record import StepRecord
from mlevents.responses.gate_record import GateRecord
from mlevents.responses.response_outcome import EventOutline, ResponseOutcome

LONGEST_RULE, LONGEST_ID, LONGEST_TYPE, LONGEST_SUBJECT, LONGEST_TIME, LONGEST_TOPIC = (
    200,
    300,
    200,
    600,
    64,
    500,
)
LONGEST_STEP, LONGEST_ACTION = 120, 60
LONGEST_REASON = 1000
LONGEST_GATE = 800
"""Enough for who approved, and the longest comment."""
MOST_INTERVENTIONS, LONGEST_INTERVENTION = 5, 100
"""How many entries of the log there are, the latest ones, and units of each of their texts."""
DETAILS = (1000, 300, 100, 0)
"""Units of each detail of a step, and of a gate: the first of these with which everything fits."""
LESS_IMPORTANT = frozenset({"waiting", "skipped", "done"})
"""Steps of these statuses are left out first where there are too many."""


def cut_outcome(outcome: ResponseOutcome) -> ResponseOutcome:
    """The outcome with its texts cut until it fits.

    Where even steps without details are too many, the later ones stay and those that failed or run;
    `omitted` counts the others. What a gate keeps for the API is never cut.
    """
    cut = replace(
        outcome,
        rule=outcome.rule and cut_name(outcome.rule, LONGEST_RULE),
        event=cut_outline(outcome.event),
        topic=cut_name(outcome.topic, LONGEST_TOPIC),
        because=outcome.because and cut_text(outcome.because, LONGEST_REASON),
        log=tuple(map(_cut_intervention, outcome.log[-MOST_INTERVENTIONS:])),
    )
    for longest in DETAILS:
        steps = tuple(_cut_step(step, longest) for step in outcome.steps)
        gates = tuple(_cut_gate(one, min(longest, LONGEST_GATE)) for one in outcome.gates)
        cut = replace(cut, steps=steps, gates=gates)
        if json_units(cut.to_json()) <= CUSTOM_STATUS_UNITS:
            return cut
    return _omit_steps(cut)


def cut_outline(event: EventOutline) -> EventOutline:
    """The event's id, type, subject and time, cut so that they can still be looked for."""
    longest = {"id": LONGEST_ID, "type": LONGEST_TYPE, "subject": LONGEST_SUBJECT, "time": LONGEST_TIME}
    texts = ((name, getattr(event, name), units) for name, units in longest.items())
    return EventOutline(
        **{name: cut_name(text, units) for name, text, units in texts if isinstance(text, str)}
    )


def _cut_intervention(one: Intervention) -> Intervention:
    by, reason, effect = (cut_text(text, LONGEST_INTERVENTION) for text in (one.by, one.reason, one.effect))
    return replace(one, by=by, reason=reason, effect=effect)


def _cut_step(step: StepRecord, longest: int) -> StepRecord:
    return StepRecord(
        cut_name(step.id, LONGEST_STEP),
        cut_text(step.uses, LONGEST_ACTION),
        step.status,
        cut_text(step.detail, longest),
    )


def _cut_gate(said: GateRecord, longest: int) -> GateRecord:
    return replace(said, detail=cut_text(said.detail, longest))


def _omit_steps(outcome: ResponseOutcome) -> ResponseOutcome:
    steps = outcome.steps
    by_weight = sorted(range(len(steps)), key=lambda at: (steps[at].status in LESS_IMPORTANT, -at))
    left = CUSTOM_STATUS_UNITS - json_units(replace(outcome, steps=(), omitted=len(steps)).to_json())
    kept = []
    for at in by_weight:
        left -= json_units(steps[at].to_json()) + len(", ")
        if left < 0:
            break
        kept.append(at)
    return replace(outcome, steps=tuple(steps[at] for at in sorted(kept)), omitted=len(steps) - len(kept))
