"""What became of dead letters, for people and for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlevents.commands.command import print_line
from mlevents.commands.operator.letter_replay import LetterResult, ReplayedLetter
from mlevents.explanations.value_format import shorten_subject

_GOOD, _NEUTRAL, _BAD = ("✓", "green"), ("·", "dim"), ("✗", "red")
_WORDS: Mapping[LetterResult, tuple[tuple[str, str], str]] = {
    LetterResult.NEW: (_GOOD, "new: rules respond to them"),
    LetterResult.ALREADY_THERE: (_NEUTRAL, "already there: their responses exist"),
    LetterResult.UNMATCHED: (_NEUTRAL, "unmatched: no rule responds"),
    LetterResult.DELIVERED: (_GOOD, "delivered: the app's API does not say what came of them"),
    LetterResult.REFUSED: (_BAD, "refused: their workspace is not in the rule file"),
    LetterResult.TOO_OLD: (
        _BAD,
        "too old for max_age, and not sent: raise max_age of these rules, deploy them, and replay again",
    ),
    LetterResult.QUARANTINED: (_BAD, "quarantined: they cannot be understood"),
    LetterResult.DISABLED: (_BAD, "without effect: MLEVENTS_MODE is disabled"),
    LetterResult.FAILED: (_BAD, "failed: the app did not accept them; replay again"),
    LetterResult.NOT_SENT: (_BAD, "not sent, because the deliveries before them failed; replay again"),
}


@dataclass(slots=True)
class ReplayReport:
    """What a replay did; `left_out` counts the dead letters that the filters leave out."""

    source: str
    dry_run: bool
    letters: list[ReplayedLetter] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[LetterResult]:
        """How many have each result."""
        return Counter(one.result for one in self.letters)

    @property
    def has_problems(self) -> bool:
        """Whether a person has to look at something."""
        return bool(self.unreadable) or any(one.result.is_problem for one in self.letters)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        counts = self.counts
        return {
            "source": self.source,
            "dry_run": self.dry_run,
            "events": [one.to_json() for one in self.letters],
            "unreadable": [{"blob": blob, "problem": problem} for blob, problem in self.unreadable],
            "left_out": self.left_out,
            "notes": self.notes,
            "counts": {str(name): counts[name] for name in LetterResult},
        }

    def show(self) -> None:
        """Print how many have each result, and what is wrong."""
        for blob, problem in self.unreadable:
            print_line("  ", _BAD, f" {blob}: {problem}: skipped")
        for note in self.notes:
            print_line(note)
        left_out = f"; {self.left_out} more left out by the filters" if self.left_out else ""
        ran = "Dry run, nothing was sent" if self.dry_run else "Replayed"
        print_line((f"{ran}: {_count(len(self.letters), 'dead letter')} of {self.source}{left_out}", "bold"))
        for name, (mark, words) in _WORDS.items():
            if number := self.counts[name]:
                print_line("  ", mark, f" {number} {words}")
        if self.unreadable:
            print_line("  ", _BAD, f" {_count(len(self.unreadable), 'entry', 'entries')} cannot be read")


def show_letter(one: ReplayedLetter) -> None:
    """Print one dead letter: the event, why it is a dead letter, and what becomes of it."""
    mark, _ = _WORDS[one.result]
    letter = one.letter
    tries = f", {_count(letter.attempts, 'attempt')}" if letter.attempts is not None else ""
    reason = f"  ({letter.reason}{tries})" if letter.reason else ""
    name = letter.type.rpartition(".")[2] or "an event without a type"
    print_line("  ", mark, " ", (name, "bold"), f"  {shorten_subject(letter.subject)}", (reason, "dim"))
    print_line("      ", (f"{letter.time or 'without a time'}  {letter.id}", "dim"))
    said = one.result.replace("_", " ")
    print_line(f"      {said}: {one.detail}" if one.detail else f"      {said}")


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def list_problems(letters: Sequence[ReplayedLetter]) -> list[ReplayedLetter]:
    """Those that a person has to look at."""
    return [one for one in letters if one.result.is_problem]
