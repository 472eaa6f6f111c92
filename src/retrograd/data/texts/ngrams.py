"""A text as the set of its n-grams: runs of words, and runs of characters within words."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Self

import numpy as np

from retrograd.data.scripts import IDEOGRAPHS, UNSPACED_LETTERS, combining
from retrograd.data.texts.ragged import Ids, Ragged

__all__ = ["NgramEncoder", "word_spans", "words_of"]

# A word, with its apostrophes, or a single sign.
_ASCII_WORD = re.compile(r"[\w']+|[^\w\s]")
_SIZES = {"words": (1, 2), "characters": (2, 3, 4, 5)}
# Character n-grams that occur once are mostly typing errors; a pair of words may mean something.
_FEWEST = {"words": 1, "characters": 2}
_MOST = 1 << 17
# A longer run of letters hardly occurs again.
_KEPT_LETTERS = 32


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


@dataclass(frozen=True)
class NgramEncoder:
    """The distinct n-grams of a row's texts that were in the training data.

    `unit` is "words", one and two in a row, or "characters", two to five in a row within a word
    whose ends are marked by spaces (the subwords of Bojanowski et al. 2017), which in a script
    without spaces is a whole run of letters. If a row has several texts, each word counts once for
    all of them and once for its own text (Daumé 2007, "Frustratingly easy domain adaptation").
    `ngrams[i]` has the id i + 1; the first `repeated` of them, the most frequent, occur in more
    than one training row.
    """

    unit: str
    ngrams: tuple[str, ...]
    repeated: int = 0
    _of_word: dict[str, Ids] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def fit(cls, unit: str, rows: Iterable[Sequence[str]], longest: int) -> Self:
        """The n-grams of the first `longest` words of each text, at most the 2¹⁷ most frequent."""
        encoder = cls(unit, ())
        # Numbers in the order of the first occurrence, in which equal counts stay.
        known: dict[str, int] = {}
        of_word: dict[str, Ids] = {}
        counts = np.zeros(0, np.int64)
        for texts in rows:
            words = [encoder.read(text, longest)[0] for text in texts]
            found = _numbered(unit, words, lambda each: known.setdefault(each, len(known)), of_word)
            if len(known) > len(counts):
                counts = np.concatenate([counts, np.zeros(len(known), np.int64)])
            counts[found] += 1
        common = np.argsort(-counts[: len(known)], kind="stable")[:_MOST]
        counts, names = counts[common], list(known)
        ngrams = tuple(names[each] for each in common[counts >= _FEWEST[unit]])
        return cls(unit, ngrams, int((counts > 1).sum()))

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        return cls(str(saved["unit"]), tuple(map(str, saved["ngrams"])), int(saved["repeated"]))

    def to_json(self) -> dict[str, Any]:
        return {"unit": self.unit, "ngrams": list(self.ngrams), "repeated": self.repeated}

    @property
    def size(self) -> int:
        """The number of ids, including the padding's."""
        return len(self.ngrams) + 1

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {ngram: place for place, ngram in enumerate(self.ngrams, 1)}

    def read(self, text: str, longest: int) -> tuple[list[str], bool]:
        """The words, or for characters the runs of letters, of a text's first `longest` words, and
        whether there are more."""
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

    def encode(self, rows: Iterable[Sequence[str]], longest: int) -> tuple[Ragged, int]:
        """The ids of each row, rising, and how many rows have a text that was cut at `longest`."""
        ids, cut = [], 0
        for texts in rows:
            words, are_cut = zip(*(self.read(text, longest) for text in texts), strict=True)
            cut += any(are_cut)
            ids.append(_numbered(self.unit, words, self._ids.get, self._of_word))
        return Ragged.of(ids), cut


def _numbered(
    unit: str,
    texts: Sequence[list[str]],
    number: Callable[[str], int | None],
    of_word: dict[str, Ids],
) -> Ids:
    """The distinct numbers of the n-grams of a row's words, without those that `number` lacks.

    `of_word` keeps those of the characters of words, which occur again.
    """
    if unit == "words":
        found = [_numbers(_runs(words), number) for words in texts]
        if len(texts) > 1:
            # No word has a colon, so this cannot be an n-gram of a text.
            own = (f"{place}: {each}" for place, words in enumerate(texts) for each in _runs(words))
            found.append(_numbers(own, number))
        return np.unique(np.concatenate(found))
    found = [np.empty(0, np.int32)]
    for word in dict.fromkeys(itertools.chain.from_iterable(texts)):
        numbers = of_word.get(word)
        if numbers is None:
            numbers = _numbers(_pieces(word), number)
            if len(word) <= _KEPT_LETTERS:
                of_word[word] = numbers
        found.append(numbers)
    return np.unique(np.concatenate(found))


def _numbers(ngrams: Iterable[str], number: Callable[[str], int | None]) -> Ids:
    known = (number(each) for each in ngrams)
    return np.array([each for each in known if each is not None], np.int32)


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
