"""The outline of rules says of an event what the rules say, after it was stored and read."""

import pickle
from dataclasses import replace

from hypothesis import given, settings

from mlevents.events import parse
from mlevents.matching.match import find_matches
from mlevents.rules.rules_outline import RulesOutline
from mlevents.settings import Settings
from tests.unit.matching.where_samples import close_pairs, rules, wire_events


def is_excluded(loaded, document) -> bool:
    outline = replace(RulesOutline.of(loaded), watches=False)  # `model.tagged` makes it true
    kept = pickle.loads(pickle.dumps(outline))
    return kept.excludes(parse(document), Settings())


@settings(max_examples=60, deadline=None)
@given(rules(), wire_events())
def test_an_event_is_excluded_exactly_where_no_rule_matches(loaded, event):
    assert is_excluded(loaded, event[1]) == (not list(find_matches(loaded, parse(event[1]))))


@settings(max_examples=60, deadline=None)
@given(close_pairs())
def test_so_it_is_where_the_conditions_nearly_hold(pair):
    loaded, _, document = pair
    assert is_excluded(loaded, document) == (not list(find_matches(loaded, parse(document))))
