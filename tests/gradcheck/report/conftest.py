"""What the report's tests share: a parsed page."""

from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from gradcheck.report.demo import failing_run, passing_run

INLINE = {"span", "a", "b", "code", "small", "wbr", "button"}
VOID = {"meta", "wbr", "input", "br", "link", "img"}


@dataclass
class Element:
    """An element and where its text lies in the page's."""

    tag: str
    attributes: dict
    texts: list
    start: int
    end: int | None = None

    def __getitem__(self, name):
        return getattr(self, name)

    @property
    def text(self):
        return "".join(self.texts[self.start : self.end])


class Page(HTMLParser):
    """Elements in order, with attributes and text; fails where tags do not match."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.html, self.elements, self.open, self.texts = html, [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self._gap(tag)
        element = Element(tag, dict(attributes), self.texts, len(self.texts))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop().end = len(self.texts)
        self._gap(tag)

    def _gap(self, tag):
        if tag not in INLINE:
            self.handle_data(" ")

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag, **attributes):
        return [
            element
            for element in self.elements
            if element["tag"] == tag
            and all(
                element["attributes"].get(name.rstrip("_").replace("_", "-")) == value
                for name, value in attributes.items()
            )
        ]

    def one(self, tag, **attributes):
        (found,) = self.all(tag, **attributes)
        return found

    def panel(self, name):
        return self.one("section", id=name)["text"]

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


@pytest.fixture
def parse():
    return Page


@pytest.fixture(scope="session")
def failing():
    return failing_run()


@pytest.fixture(scope="session")
def passing():
    return passing_run()
