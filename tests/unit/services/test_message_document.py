"""The parts of a message, as channels show them."""

from hypothesis import given
from hypothesis import strategies as st

from mlevents.services.connection import Message
from mlevents.services.message_document import (
    MOST_LINKS,
    Code,
    Fact,
    Paragraph,
    Span,
    parse_message,
    split_links,
)

KNOWN = ("https://ml.azure.com/",)
TEXT = """Two runs failed.
Both at night:

Run:        r1
Causes:     OutOfMemory: 15
            UserError: 2
Studio:     https://ml.azure.com/runs/r1?wsid=/x
The end of user_logs/std_log.txt:
    Traceback
      File "train.py"

    MemoryError

Rule nightly, response 0123"""


def parse(text: str) -> list[Paragraph | Fact | Code]:
    return list(parse_message(Message("s", text, "k", KNOWN)).parts)


def test_a_message_has_prose_facts_code_and_links():
    document = parse_message(Message("s", TEXT, "k", KNOWN))
    assert document.parts == (
        Paragraph("Two runs failed.\nBoth at night:"),
        Fact("Run", "r1"),
        Fact("Causes", "OutOfMemory: 15\nUserError: 2"),
        Paragraph("The end of user_logs/std_log.txt:"),
        Code('Traceback\n  File "train.py"\n\nMemoryError'),
        Paragraph("Rule nightly, response 0123"),
    )
    assert document.links == (Span("Studio", "https://ml.azure.com/runs/r1?wsid=/x"),)


def test_a_text_without_such_lines_stays_prose():
    assert parse("It failed.\n\nSee https://ml.azure.com/x") == [
        Paragraph("It failed."),
        Paragraph("See https://ml.azure.com/x"),
    ]
    assert parse("https://ml.azure.com/x") == [Paragraph("https://ml.azure.com/x")]
    assert parse("12:30: it failed, then: it did not") == [Paragraph("12:30: it failed, then: it did not")]


def test_only_an_address_that_the_message_knows_is_a_link():
    assert parse("Studio: https://evil.example/x") == [Fact("Studio", "https://evil.example/x")]
    assert parse("Studio: https://ml.azure.com/x or https://ml.azure.com/y")[0].text.endswith("/y")
    assert list(split_links("see https://ml.azure.com/a](x)", KNOWN))[1].address.endswith("/a%5D%28x%29")
    assert parse(f"Studio: https://ml.azure.com/{'x' * 2_000}")[0].text.endswith("xxx")


def test_more_links_than_a_channel_shows_are_facts():
    document = parse_message(Message("s", "Run: https://ml.azure.com/1\n" * 9, "k", KNOWN))
    assert (len(document.links), len(document.parts)) == (MOST_LINKS, 9 - MOST_LINKS)


def test_a_shortened_message_keeps_its_end_and_its_links():
    document = parse_message(Message("s", TEXT.replace("Traceback", "x" * 9_000), "k", KNOWN))
    short = document.shorten(600)
    assert short.parts[-2:] == (Paragraph("… (shortened)"), Paragraph("Rule nightly, response 0123"))
    assert short.links == document.links
    assert sum(len(part.text) for part in short.parts) < 900
    assert document.shorten(20_000) is document


@given(st.text("ab:. \nRunhtps/\u202e<>", max_size=300))
def test_no_word_is_lost(text: str):
    document = parse_message(Message("s", text, "k", KNOWN))
    labels = [part.label for part in document.parts if isinstance(part, Fact)]
    found = "".join([*labels, *(part.text for part in document.parts)])
    kept = "".join(sorted(found.replace(":", ""))).split()
    assert sorted("".join(kept)) == sorted("".join(text.replace(":", "").split()))
