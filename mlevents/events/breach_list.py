"""The list in a breach tag's text: one JSON object a metric that is beyond its threshold.

    ['{"group":"age","metric_value":0.4,"metric_name":"JensenShannonDistance","threshold_value":0.1}', ...]

It is Python's way to print a list of JSON texts (azureml-assets, `evaluate_metrics_threshold`). Azure cuts a
long tag, and may change the words around the list: what is whole is read, and nothing raises.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from math import inf
from typing import Any

from mlevents.events.content import json_text, number_of
from mlevents.events.document import UNFIT_CHARACTERS
from mlevents.events.event_type import Items

type Breach = dict[str, str | float]

BREACHES = Items(
    {"feature": "text", "metric": "text", "value": "number", "threshold": "number"},
    {
        "feature": "The feature, such as age; a metric of the whole model has none.",
        "metric": "The metric, such as JensenShannonDistance; `coefficient` in v1.",
        "value": "The value that the monitor computed.",
        "threshold": "The limit that the monitor has for this metric; v1 has none.",
    },
)
WIRE_KEYS: Mapping[str, tuple[str, ...]] = {
    "feature": ("group", "feature", "feature_name"),
    "metric": ("metric_name", "metric"),
    "value": ("metric_value", "value"),
    "threshold": ("threshold_value", "threshold"),
}
"""The keys of a field on the wire; Azure writes the first."""
BREACHED_BELOW = frozenset(
    (
        "twosamplekolmogorovsmirnovtest",
        "pearsonschisquaredtest",
        "normalizeddiscountedcumulativegain",
        "accuracy",
        "precision",
        "recall",
    )
)
"""Metrics, in lower case, whose value is below the threshold when it is a breach; pass rates are others."""
LEAD = "violating the threshold"

_SIGNAL, _FAILED = "The signal '", "' has failed"
_LITERAL = re.compile(r"""'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U(00(?:0[0-9a-f]|10)[0-9a-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_BETWEEN = re.compile(r"[^\]'\"{]*")
_DECODER = json.JSONDecoder()


def read_breaches(text: str) -> list[Breach]:
    """The breaches that the text lists, in its order, up to where it is cut; a missing value is left out."""
    return [dict(one) for one in _read(text)]


def read_features(text: str) -> list[str]:
    """The features that the text lists, each once, in its order, also where it lists nothing but names."""
    names = [str(one["feature"]) for one in _read(text) if "feature" in one]
    if not _read(text) and LEAD in text:
        names = [one for one in _items(text) if isinstance(one, str) and one and not one.startswith("{")]
    return list(dict.fromkeys(name for name in names if not UNFIT_CHARACTERS.search(name)))


def find_worst(breaches: Iterable[Breach]) -> Breach:
    """The breach farthest beyond its threshold in its own direction, the first of several; else an empty one.

    One without a value or a threshold comes after all that have both.
    """
    return max(breaches, key=_excess, default={})


def write_breaches(breaches: Iterable[Mapping[str, Any]]) -> str:
    """The list as Azure's component prints it."""
    members = (
        {WIRE_KEYS[name][0]: one[name] for name in ("feature", "value", "metric", "threshold") if name in one}
        for one in breaches
    )
    return str([json_text(one) for one in members])


def _excess(breach: Breach) -> float:
    value, threshold = breach.get("value"), breach.get("threshold")
    if not isinstance(value, float) or not isinstance(threshold, float):
        return -inf
    metric = str(breach.get("metric", "")).lower()
    is_below = metric in BREACHED_BELOW or metric.endswith("passrate")
    return threshold - value if is_below else value - threshold


@lru_cache(maxsize=4)  # several names of one event come from its list
def _read(text: str) -> tuple[Breach, ...]:
    return tuple(breach for item in _items(text) if (breach := _breach(item)))


def _items(text: str) -> Iterator[str | dict[str, Any]]:
    """The whole objects and quoted texts of the list; ends at its end, or at what is cut."""
    listing, place = _listing(text), 0
    while (start := _end(_BETWEEN, listing, place)) < len(listing) and listing[start] != "]":
        if listing[start] == "{":
            try:
                item, place = _DECODER.raw_decode(listing, start)
            except (ValueError, RecursionError):
                return
            yield item
        elif literal := _LITERAL.match(listing, start):
            place = literal.end()
            yield _ESCAPE.sub(_unescape, literal[1] if literal[2] is None else literal[2])
        else:
            return


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _listing(text: str) -> str:
    """What follows the first bracket after the words about the signal, which may hold any name."""
    _, known, rest = text.partition(LEAD)
    if not known:
        rest = text.partition(_FAILED)[2] if text.startswith(_SIGNAL) else text
    return rest.partition("[")[2]


def _unescape(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) if code else _ESCAPED.get(found[4], found[4])


def _breach(item: str | dict[str, Any]) -> Breach:
    try:
        members = json.loads(item) if isinstance(item, str) else item
    except (ValueError, RecursionError):
        return {}
    if not isinstance(members, dict):
        return {}
    found: Breach = {}
    for name, keys in WIRE_KEYS.items():
        said = next((members[key] for key in keys if members.get(key) is not None), None)
        value = number_of(said) if BREACHES.fields[name] == "number" else _text(said)
        if value is not None:
            found[name] = value
    return found


def _text(value: object) -> str | None:
    text = "" if value is None or isinstance(value, dict | list) else json_text(value)
    return text if text and not UNFIT_CHARACTERS.search(text) else None
