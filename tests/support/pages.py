"""Pages of small runs, and a parser that sees what a browser would."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page's elements, attributes and text; raises AssertionError if its tags do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text("utf-8")
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style" and data.strip():
            self.texts.append(re.sub(r"[ \n]+", " ", data).strip(" "))

    @property
    def text(self) -> str:
        """All that is read, in order."""
        return " ".join(self.texts)

    def check_is_safe_and_offline(self) -> None:
        """No script, no handler, nothing fetched from anywhere; pictures and links are its own."""
        assert not self.tags.keys() & {"script", "iframe", "object", "embed", "link", "base"}
        for name, value in self.attributes:
            assert not name.startswith("on")
            assert name not in ("xlink:href", "srcset", "action", "data")
            assert name != "href" or (value or "").startswith("#")
            assert name != "src" or (value or "").startswith("data:image/png;base64,")
            assert "://" not in (value or "")
        assert "://" not in self.source
        assert "url(" not in self.source
        assert "@import" not in self.source

    def check_is_accessible(self) -> None:
        """A language, a title, one h1, named figures, headers on every table, no dead links."""
        assert ("lang", "en") in self.attributes
        assert self.tags["title"] >= 1
        assert self.tags["h1"] == self.tags["main"] == 1
        assert self.attributes.count(("role", "img")) == self.tags["svg"] == self.tags["desc"]
        assert self.attributes.count(("scope", "col")) >= 2 * self.tags["table"]
        assert sum(name == "alt" for name, _ in self.attributes) == self.tags["img"]
        ids = [value for name, value in self.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        assert {f"#{each}" for each in ids} >= {v for name, v in self.attributes if name == "href"}


@pytest.fixture
def read_page() -> type[Page]:
    return Page
