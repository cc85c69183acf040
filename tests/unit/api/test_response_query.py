"""What `GET /api/v1/responses` accepts, and what it says to the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.api.query_parameter import HOST_PARAMETERS, QueryError
from mlevents.api.response_query import PagePosition, ResponseQuery

KNOWN = ["status", "rule", "workspace", "event_id", "subject", "since", "until", "limit", "continuation"]


def refusal(**parameters: str) -> str:
    with pytest.raises(QueryError) as error:
        ResponseQuery.read(parameters)
    return str(error.value)


def test_an_unknown_parameter_is_named_with_the_nearest_and_all_known_ones():
    said = refusal(statsu="done")
    assert "'statsu' (did you mean 'status'?)" in said
    assert all(name in said for name in KNOWN)


@pytest.mark.parametrize("name", sorted(HOST_PARAMETERS))
def test_the_hosts_own_parameters_are_let_through(name):
    assert ResponseQuery.read({name: "a-function-key"}) == ResponseQuery()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("status", "finished", "one of running, waiting, done"),
        ("status", "Done", "did you mean 'done'"),
        ("rule", " ", "empty"),
        ("since", "yesterday", "ISO 8601"),
        ("until", "2026-13-01", "ISO 8601"),
        ("since", "0001-01-01T00:00:00+05:00", "ISO 8601"),
        ("limit", "0", "from 1 to 500"),
        ("limit", "501", "from 1 to 500"),
        ("limit", "ten", "from 1 to 500"),
        ("limit", "²", "from 1 to 500"),
        ("limit", "9" * 5000, "from 1 to 500"),
        ("continuation", "next", "unchanged"),
        ("continuation", "W10=", "unchanged"),
        ("continuation", "ü", "unchanged"),
    ],
)
def test_a_bad_value_is_refused_by_name(name, value, says):
    said = refusal(**{name: value})
    assert said.startswith(name)
    assert says in said
    assert len(said) < 400


@given(parameters=st.dictionaries(st.sampled_from([*KNOWN, "code", "other"]), st.text()))
def test_any_parameters_give_a_query_or_a_query_error(parameters):
    try:
        query = ResponseQuery.read(parameters)
    except QueryError:
        return
    assert 1 <= query.limit <= 500
    query.to_hub_query()


@given(page=st.none() | st.text(st.characters(codec="utf-8")), created=st.text(), last=st.text())
def test_a_place_survives_its_journey_in_a_url(page, created, last):
    place = PagePosition(page, created, last)
    assert PagePosition.read(place.to_text()) == place
