"""The breaches that a monitor's tag lists: read as far as the text is whole, whatever it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.events.breach import TAG
from mlevents.events.breach_list import find_worst, read_breaches, read_features, write_breaches
from mlevents.events.document import UNFIT_CHARACTERS
from tests.unit.events.event_samples import run_event

AMOUNT = {"feature": "amount", "metric": "JensenShannonDistance", "value": 0.41, "threshold": 0.1}
ON_THE_WIRE = (
    '{"group":"amount","metric_value":0.41,"metric_name":"JensenShannonDistance","threshold_value":0.1}'
)
HEAD = (
    "The signal 'inputs' has failed due to one or more features violating metric thresholds.\n"
    "The feature names and their corresponding computed metric values violating the threshold are \n"
)

characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
texts = st.text(characters, min_size=1, max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
breaches = st.fixed_dictionaries(
    {}, optional={"feature": texts, "metric": texts, "value": numbers, "threshold": numbers}
).filter(bool)
signals = st.text(st.characters(categories=["L", "N"], include_characters=" _-'"), max_size=12)


def azure_text(signal: str, listed: list[dict[str, Any]]) -> str:
    """What Azure's component writes: Spark's JSON without blanks and nulls, printed as a Python list."""
    names = {
        "feature": "group",
        "value": "metric_value",
        "metric": "metric_name",
        "threshold": "threshold_value",
    }
    rows = [
        json.dumps(
            {names[key]: one[key] for key in names if key in one}, separators=(",", ":"), ensure_ascii=False
        )
        for one in listed
    ]
    return f"{HEAD.replace('inputs', signal)}{rows}\n"


@given(signals, st.lists(breaches, max_size=5))
def test_what_azure_writes_is_read(signal, listed):
    assert read_breaches(azure_text(signal, listed)) == listed
    names = [one["feature"] for one in listed if "feature" in one]
    assert read_features(azure_text(signal, listed)) == list(dict.fromkeys(names))


@given(signals, st.lists(breaches, max_size=4), st.data())
def test_a_cut_text_gives_the_first_of_its_breaches(signal, listed, choice):
    text = azure_text(signal, listed)
    end = choice.draw(st.integers(0, len(text)))
    cut = text[:end] + choice.draw(st.sampled_from(["", "...", "…", " [truncated]"]))
    found = read_breaches(cut)
    assert found == listed[: len(found)]
    if end >= text.rindex("]"):
        assert found == listed


@given(st.lists(breaches, max_size=4))
def test_the_list_is_written_as_azure_writes_it(listed):
    assert azure_text("inputs", listed) == f"{HEAD}{write_breaches(listed)}\n"


@given(
    st.text() | st.text("[]{}'\"\\:,groupmetric_value \n0") | st.text("['{\\xuU0d8\"").map("['{}']".format)
)
def test_any_text_is_read_without_an_error(text):
    for one in (text, HEAD + text, HEAD + "[" + text, HEAD + "['" + text + "']"):
        for breach in read_breaches(one):
            json.dumps(breach, allow_nan=False, ensure_ascii=False).encode()
        assert not [name for name in read_features(one) if UNFIT_CHARACTERS.search(name)]


@given(texts)
def test_any_tag_is_an_event_whose_names_can_be_stored(text):
    event = run_event({TAG: HEAD + "[" + text})
    json.dumps(event.to_json(), allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HEAD + f"['{ON_THE_WIRE}']", [AMOUNT]),
        (f"['{ON_THE_WIRE}']", [AMOUNT]),
        (f"Breached: [{ON_THE_WIRE}]", [AMOUNT]),
        (f"The signal 's' has failed: [{ON_THE_WIRE}]", [AMOUNT]),
        (HEAD + json.dumps([ON_THE_WIRE]), [AMOUNT]),
        (HEAD + f"['{ON_THE_WIRE}', 'rubbish', '[1]', '{ON_THE_WIRE}']", [AMOUNT, AMOUNT]),
        (HEAD + f"['{ON_THE_WIRE}', '{ON_THE_WIRE[:-9]}", [AMOUNT]),
        (HEAD + f"['{ON_THE_WIRE}'] ['{ON_THE_WIRE}']", [AMOUNT]),
        (HEAD + '[{"feature_name":"a","metric":"m","value":"0.5","threshold":1}]',
         [{"feature": "a", "metric": "m", "value": 0.5, "threshold": 1.0}]),
        (HEAD + """['{"group":null,"metric_value":NaN,"metric_name":"m","threshold_value":"high"}']""",
         [{"metric": "m"}]),
        (HEAD + """['{"group":["a"],"metric_value":true,"metric_name":"","threshold_value":1e999}']""", []),
        (HEAD + """['{"group":7,"metric_value":4}']""", [{"feature": "7", "value": 4.0}]),
        (HEAD + r"""['{"group":"a\\u0000b","metric_value":4}']""", [{"value": 4.0}]),
        (HEAD + r"""['{"group":"a\\ud83d","metric_value":4}']""", [{"value": 4.0}]),
        (HEAD + r"""['{"group":"\xe9\u200b\U000e0001\\n"}']""", [{"feature": "é\u200b\U000e0001\n"}]),
        (HEAD + "['" + '[' * 50_000 + "']", []),
        (HEAD + "['{\"metric_value\":" + "9" * 5_000 + "}']", []),
        ("The signal '['" + ON_THE_WIRE, []),
        (HEAD, []),
        ("", []),
    ],
)  # fmt: skip
def test_an_odd_text_gives_what_is_whole(text, found):
    assert read_breaches(text) == found


@pytest.mark.parametrize(
    ("listed", "worst"),
    [
        ([("a", "JensenShannonDistance", 0.2, 0.1), ("b", "JensenShannonDistance", 0.4, 0.1)], "b"),
        ([("a", "JensenShannonDistance", 0.5, 0.45), ("b", "JensenShannonDistance", 0.4, 0.1)], "b"),
        ([("a", "PearsonsChiSquaredTest", 0.04, 0.05), ("b", "PearsonsChiSquaredTest", 0.001, 0.05)], "b"),
        ([("a", "JensenShannonDistance", 0.2, 0.1), ("b", "Accuracy", 0.5, 0.9)], "b"),
        ([("a", "AggregatedFluencyPassRate", 0.9, 0.5), ("b", "JensenShannonDistance", 0.2, 0.1)], "b"),
        ([("a", "TwoSampleKolmogorovSmirnovTest", 0.9, 0.05), ("b", "NullValueRate", 0.06, 0.05)], "b"),
        ([("a", "Precision", 0.6, 0.7), ("b", "recall", 0.5, 0.7)], "b"),
        ([("a", "NormalizedDiscountedCumulativeGain", 0.1, 0.2), ("b", "MeanAbsoluteError", 3, 2)], "b"),
        ([("a", "m", 0.4, 0.1), ("b", "m", 0.4, 0.1)], "a"),
        ([("a", "m", None, 0.1), ("b", "m", 0.2, 0.1)], "b"),
        ([("a", "m", 0.9, None), ("b", "m", 0.2, 0.1)], "b"),
        ([("a", None, None, None), ("b", None, None, None)], "a"),
    ],
)
def test_the_worst_is_the_farthest_beyond_its_threshold_in_its_own_direction(listed, worst):
    keys = ("group", "metric_name", "metric_value", "threshold_value")
    rows = [
        json.dumps({key: said for key, said in zip(keys, row, strict=True) if said is not None})
        for row in listed
    ]
    drift = run_event({TAG: f"{HEAD}{rows}"}).names["drift"]
    assert drift["feature"] == worst
    [found] = [one for one in drift["breaches"] if one["feature"] == worst]
    assert {name: drift[name] for name in found} == found == find_worst(drift["breaches"])


def test_nothing_is_the_worst_of_nothing():
    assert find_worst([]) == {}
    assert not {"breaches", "feature", "metric", "value", "threshold"} & set(
        run_event({TAG: "?"}).names["drift"]
    )
