"""A text as the set of its n-grams: runs of words, and runs of characters within words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Self

import numpy as np

from retrograd.data.scripts import IDEOGRAPHS, UNSPACED_LETTERS, combining

__all__ = ["PADDING", "NgramEncoder", "padded", "word_spans", "words_of"]

Ids = np.ndarray[Any, np.dtype[np.int32]]

PADDING = 0
"""The padding id; n-grams and tokens are numbered from 1."""

# A word, with its apostrophes, or a single sign.
_ASCII_WORD = re.compile(r"[\w']+|[^\w\s]")
_SIZES = {"words": (1, 2), "characters": (2, 3, 4, 5)}
# Character n-grams that occur once are mostly typing errors; a pair of words may mean something.
_FEWEST = {"words": 1, "characters": 2}
_MOST = 1 << 17


def words_of(text: str) -> list[str]:
    """The words and signs of a text, in lower case.

    A letter keeps its marks, composed or not. Where a script puts no spaces between words, each of
    its characters is a word.
    """
    text = _plain(text)
    return _words(text).findall(text)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word or sign of a text starts and ends."""
    return [found.span() for found in _words(text).finditer(text)]


def _plain(text: str) -> str:
    """In lower case, and each accented letter as one character, however it was typed."""
    return unicodedata.normalize("NFC", text.lower())


def _words(text: str) -> re.Pattern[str]:
    return _ASCII_WORD if text.isascii() else _patterns()[0]


def _runs_of_letters(text: str) -> re.Pattern[str]:
    return _ASCII_WORD if text.isascii() else _patterns()[1]


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Words and signs in any script; the same, but with unspaced scripts in whole runs."""
    marks, unspaced = combining(), IDEOGRAPHS + UNSPACED_LETTERS
    sign = rf"[^\w\s][{marks}]*"
    words = rf"[{unspaced}][{marks}]*|(?:[^\W{unspaced}]+|['{marks}]+)+|{sign}"
    return re.compile(words), re.compile(rf"[\w'{marks}]+|{sign}")


def padded(rows: Sequence[Sequence[int]]) -> Ids:
    """(n, length) int32: each row's ids, padded with `PADDING`; the length is at least 1."""
    longest = max(map(len, rows), default=0)
    ids = np.full((len(rows), max(longest, 1)), PADDING, np.int32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
    return ids


@dataclass(frozen=True)
class NgramEncoder:
    """The distinct n-grams of a row's texts that were in the training data.

    `unit` is "words", one and two in a row, or "characters", two to five in a row within a word
    whose ends are marked by spaces (the subwords of Bojanowski et al. 2017), which in a script
    without spaces is a whole run of letters. If a row has several
    texts, each word counts once for all of them and once for its own text (Daumé 2007,
    "Frustratingly easy domain adaptation"). `ngrams[i]` has the id i + 1; the first `repeated` of
    them, the most frequent, occur in more than one training row.
    """

    unit: str
    ngrams: tuple[str, ...]
    repeated: int = 0
    _of_word: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def fit(cls, unit: str, rows: Iterable[Sequence[str]], longest: int) -> Self:
        """The n-grams of the first `longest` words of each text, at most the 2¹⁷ most frequent."""
        encoder = cls(unit, ())
        counts: Counter[str] = Counter()
        for texts in rows:
            counts.update(encoder.split([encoder.read(text, longest)[0] for text in texts]))
        # Equal counts stay in the order of their first occurrence.
        common = counts.most_common(_MOST)
        ngrams = tuple(each for each, times in common if times >= _FEWEST[unit])
        return cls(unit, ngrams, sum(times > 1 for _, times in common))

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        return cls(str(saved["unit"]), tuple(map(str, saved["ngrams"])), int(saved["repeated"]))

    def to_json(self) -> dict[str, Any]:
        return {"unit": self.unit, "ngrams": list(self.ngrams), "repeated": self.repeated}

    @property
    def size(self) -> int:
        """The number of ids, including `PADDING`."""
        return len(self.ngrams) + 1

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {ngram: place for place, ngram in enumerate(self.ngrams, 1)}

    def read(self, text: str, longest: int) -> tuple[list[str], bool]:
        """What `split` takes of a text's first `longest` words, and whether there are more."""
        text = _plain(text)
        if self.unit == "words":
            words = _words(text).findall(text)
            return words[:longest], len(words) > longest
        is_cut = False
        if len(text) > longest:  # a word has at least one character
            ends = [found.end() for found in _words(text).finditer(text)]
            if is_cut := len(ends) > longest:
                text = text[: ends[longest - 1]]
        return _runs_of_letters(text).findall(text), is_cut

    def split(self, texts: Sequence[list[str]]) -> list[str]:
        """The distinct n-grams of the texts' words, whether or not training has seen them."""
        found: dict[str, None] = {}
        for place, words in enumerate(texts):
            if self.unit == "words":
                found.update(dict.fromkeys(_runs(words)))
                if len(texts) > 1:
                    # No word has a colon, so this cannot be an n-gram of a text.
                    found.update(dict.fromkeys(f"{place}: {each}" for each in _runs(words)))
                continue
            for word in dict.fromkeys(words):
                if word not in self._of_word:
                    self._of_word[word] = list(_pieces(word))
                found.update(dict.fromkeys(self._of_word[word]))
        return list(found)

    def encode(self, rows: Iterable[Sequence[str]], longest: int) -> tuple[Ids, int]:
        """Ids (n, length), and the number of rows with a text that was cut at `longest` words."""
        ids, cut = [], 0
        for texts in rows:
            words, are_cut = zip(*(self.read(text, longest) for text in texts), strict=True)
            cut += any(are_cut)
            found = (self._ids.get(each) for each in self.split(words))
            ids.append([each for each in found if each is not None])
        return padded(ids), cut


def _runs(words: list[str]) -> Iterator[str]:
    """Words, and each pair of adjacent words joined by a space."""
    for size in _SIZES["words"]:
        for start in range(len(words) - size + 1):
            yield " ".join(words[start : start + size])


def _pieces(word: str) -> Iterator[str]:
    marked = f" {word} "
    for size in _SIZES["characters"]:
        for start in range(max(len(marked) - size + 1, 1)):
            yield marked[start : start + size]
