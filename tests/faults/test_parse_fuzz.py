"""`parse` is given what a fuzzer makes of real events: an event comes out, or an EventError, and at once."""

import random
import time

from mlevents.errors import EventError
from mlevents.events import Event, parse
from sandbox.sandbox_process import ROOT
from tests.faults.damaged_bytes import damage_bytes

SEED, ROUNDS = 14, 15_000
LONGEST = 2.0
"""Seconds; a text for which `parse` takes this long would block the app."""


def test_a_damaged_event_is_an_event_or_an_event_error() -> None:
    chance = random.Random(SEED)
    samples = [path.read_bytes() for path in sorted((ROOT / "tests/data/events").rglob("*.json"))]
    understood = 0
    for _ in range(ROUNDS):
        document = damage_bytes(chance.choice(samples), chance)
        began = time.process_time()
        try:
            found = parse(document)
        except EventError:
            continue
        finally:
            assert time.process_time() - began < LONGEST, document
        assert isinstance(found, Event)
        understood += 1
    assert 0 < understood < ROUNDS
