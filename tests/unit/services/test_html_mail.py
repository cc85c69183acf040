"""A mail as HTML: its text, the links of the template, and no markup of a value."""

from collections.abc import Iterator
from html.parser import HTMLParser

from hypothesis import example, given, settings

from mlevents.services.connection import Message
from mlevents.services.mail.html_mail import build_html
from tests.unit.services.hostile_message import LINK, VALUES, hostile_message, values

STUDIO = ("https://ml.azure.com/",)


class Reader(HTMLParser):
    """Every element with its attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def find(self, name: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.elements if tag == name)


PLAIN = Reader(build_html(hostile_message("x")))


@settings(deadline=None, max_examples=30)
@given(values)
@example(" ".join(VALUES[:-3]))
def test_no_value_is_active_in_a_mail(value: str):
    found = Reader(build_html(hostile_message(value)))
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in PLAIN.elements}
    assert {name for _, one in found.elements for name in one} <= {
        name for _, one in PLAIN.elements for name in one
    }
    assert [one["href"] for one in found.find("a")] == [LINK]
    text = "".join(found.texts)
    assert "://" not in text
    assert "www." not in text


def test_facts_logs_and_links_have_their_own_form():
    found = Reader(
        build_html(Message("Run <r1>", f"Run: r1 & r2\nStudio: {LINK}\n\n    a\n      b", "k", STUDIO))
    )
    assert {"title", "h1", "th", "td", "pre", "a"} <= {tag for tag, _ in found.elements}
    texts = [text for text in found.texts if text.strip()]
    assert texts[0] == "Run <r1>"
    assert texts[-5:] == ["Run <r1>", "Run", "r1 & r2", "a\n  b", "Studio"]


def test_a_mail_loads_nothing_and_runs_nothing():
    tags = {tag for tag, _ in PLAIN.elements}
    assert not tags & {"img", "script", "link", "iframe", "form", "svg", "object"}
    assert "url(" not in build_html(hostile_message("x"))


def test_a_list_of_mails_shows_the_facts_after_the_subject():
    [preview] = [
        text for text in Reader(build_html(Message("s", "Run: r1\nStatus: Failed", "k"))).texts if "·" in text
    ]
    assert preview == "Run: r1 · Status: Failed"
