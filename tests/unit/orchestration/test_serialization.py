"""JSON text that travels can always be encoded, whatever Azure answers."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlevents.orchestration.serialization import to_text

CHARACTERS = st.characters(categories=(), include_characters="a\ud800\udc00\udfff\U0001f600\x00é")
TEXTS = st.text(CHARACTERS, max_size=6)
DOCUMENTS = st.recursive(TEXTS | st.integers(), lambda inner: st.dictionaries(TEXTS, inner, max_size=3))


@given(document=DOCUMENTS)
def test_any_document_is_text_that_utf_8_can_encode(document: Any) -> None:
    text = to_text(document)
    assert text.encode("utf-8")
    json.loads(text)


@given(document=st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_what_can_be_encoded_is_not_changed(document: Any) -> None:
    assert json.loads(to_text(document)) == document


def test_half_a_pair_is_replaced_and_two_halves_are_joined() -> None:
    assert json.loads(to_text("a\ud800b \ud83d\ude00")) == "a\ufffdb \U0001f600"
