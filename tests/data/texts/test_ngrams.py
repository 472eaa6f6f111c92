"""Texts cut into n-grams and tokens: against scikit-learn's vectorizers, and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from support.interpreters import FreshPython

from retrograd.data.texts.ngrams import NgramEncoder, word_spans, words_of
from retrograd.data.texts.ragged import Ragged
from retrograd.data.texts.tokens import TokenEncoder
from retrograd.errors import DataError, UsageError

TEXTS = [
    "the film is a joy from start to end",
    "a dull film without a joy",
    "oh",
    "from the start the film is dull",
]


def rows_of(ids: Ragged) -> list[list[int]]:
    return [row.tolist() for row in np.split(ids.ids, ids.ends[1:-1])]


def one(*texts: str) -> list[tuple[str]]:
    """Rows of one text each."""
    return [(text,) for text in texts]


UNITS = {
    "words": {"ngram_range": (1, 2), "token_pattern": r"\S+"},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}


@pytest.mark.parametrize("unit", UNITS)
def test_the_ngrams_of_a_text_are_those_of_scikit_learn(unit: str) -> None:
    analyze = CountVectorizer(**UNITS[unit]).build_analyzer()
    for text in TEXTS:
        assert set(NgramEncoder.fit(unit, one(text, text), 256).ngrams) == set(analyze(text))


def test_words_are_in_lower_case_and_signs_stand_alone() -> None:
    text = "Don't stop, Zoë!"
    assert words_of(text) == ["don't", "stop", ",", "zoë", "!"]
    assert [text[start:end] for start, end in word_spans(text)] == [
        "Don't",
        "stop",
        ",",
        "Zoë",
        "!",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("आधुनिक मानक हिन्दी", ["आधुनिक", "मानक", "हिन्दी"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("مَرْحَبًا بك", ["مَرْحَبًا", "بك"]),
        ("\u0645\u06cc\u200c\u062e\u0648", ["\u0645\u06cc\u200c\u062e\u0648"]),
        ("Cafe\u0301 Café", ["café", "café"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("很好看。iPhone15", ["很", "好", "看", "。", "iphone15"]),
        ("สนุกมาก ok", ["ส", "นุ", "ก", "ม", "า", "ก", "ok"]),
        ("❤\ufe0f!", ["❤\ufe0f", "!"]),
    ],
    ids=[
        *("Hindi", "Tamil", "vowel signs", "Persian", "accents"),
        *("lower", "Korean", "Chinese", "Thai", "emoji"),
    ],
)
def test_marks_belong_to_their_word_and_unspaced_characters_are_words(
    text: str, words: list[str]
) -> None:
    assert words_of(text) == words
    assert len(word_spans(text)) == len(words)


def test_characters_run_on_where_a_script_has_no_spaces() -> None:
    encoder = NgramEncoder("characters", ())
    assert encoder.read("很好看。我", 256) == (["很好看", "。", "我"], False)
    assert encoder.read("很好看。我", 2) == (["很好"], True)
    pairs = NgramEncoder.fit("words", one("很好看"), 256).ngrams
    assert set(pairs) == {"很", "好", "看", "很 好", "好 看"}


def test_each_ngram_counts_once_and_the_unseen_ones_not() -> None:
    encoder = NgramEncoder.fit("words", one("good film", "good good film"), 256)
    ids, cut = encoder.encode(one("good good film", "bad film", "bad"), 256)
    found = [{encoder.ngrams[each - 1] for each in row} for row in rows_of(ids)]
    assert found == [{"good", "good good", "film", "good film"}, {"film"}, set()]
    assert ids.lengths.tolist() == [4, 1, 0]
    assert cut == 0


def test_words_of_several_texts_stand_for_all_and_for_their_own() -> None:
    rows = [("good", "film"), ("film", "good good")]
    encoder = NgramEncoder.fit("words", rows, 256)
    (ids,) = rows_of(encoder.encode([("good", "film")], 256)[0])
    assert {encoder.ngrams[each - 1] for each in ids} == {"good", "film", "0: good", "1: film"}
    assert set(encoder.ngrams[: encoder.repeated]) == {"good", "film"}
    assert NgramEncoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder
    characters = NgramEncoder.fit("characters", [("ab", "ab")] * 2, 256)
    assert set(characters.ngrams) == {*(" a", "ab", "b ", " ab", "ab ", " ab ")}


def test_no_more_than_the_first_words_are_read() -> None:
    encoder = NgramEncoder.fit("words", one("a b c d", "a b"), 2)
    assert set(encoder.ngrams) == {"a", "b", "a b"}
    longer = NgramEncoder.fit("words", one("a b c d"), 256)
    ids, cut = longer.encode(one("a b c d", "a b"), 2)
    first, second = rows_of(ids)
    assert first == second
    assert cut == 1


def test_single_runs_of_characters_are_left_out_and_single_words_not() -> None:
    assert NgramEncoder.fit("characters", one("ab ab", "xyz"), 256).ngrams == ()
    assert set(NgramEncoder.fit("characters", one("ab", "ab"), 256).ngrams) == {
        *(" a", "ab", "b ", " ab", "ab ", " ab ")
    }
    assert "xyz" in NgramEncoder.fit("words", one("ab ab", "xyz"), 256).ngrams


@pytest.mark.parametrize("unit", ["words", "characters", "bpe"])
def test_tokens_keep_their_order_and_survive_json(unit: str) -> None:
    encoder = TokenEncoder.fit(unit, TEXTS, 60)
    again = TokenEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    ids, cut = again.encode(["film film a", "a film"], 5)
    first, second = rows_of(ids)
    assert [first, second] == rows_of(encoder.encode(["film film a", "a film"], 5)[0])
    assert encoder.size == again.size > ids.ids.max()
    if unit == "words":
        film, a = first[0], first[2]
        assert (first, second) == ([film, film, a], [a, film])
    if unit == "characters":
        assert encoder.split("a film") == list("a film")
        assert cut == 2  # "film film a" has 11 characters, "a film" 6
        assert ids.lengths.tolist() == [5, 5]


def test_seldom_words_are_all_the_same_unknown() -> None:
    encoder = TokenEncoder.fit("words", ["a b b", "a c"], 100)
    assert encoder.vocabulary == ("a", "b")
    assert rows_of(encoder.encode(["c z a b"], 9)[0]) == [[1, 1, 2, 3]]
    assert encoder.size == 4


def test_no_more_tokens_than_asked_for() -> None:
    texts = ["a a a b b c c"]
    assert TokenEncoder.fit("words", texts, 1).vocabulary == ("a",)
    assert TokenEncoder.fit("bpe", TEXTS, 30).size <= 30


def test_byte_pairs_join_what_is_often_together() -> None:
    encoder = TokenEncoder.fit("bpe", ["lower lower lowest newest widest"] * 20, 60)
    assert encoder.split("Lower") == ["Lower"]
    pieces = encoder.split("lowly")
    assert "".join(pieces) == "lowly"
    assert 1 < len(pieces) < 5
    first, second = rows_of(encoder.encode(["lower LOWER", "日"], 9)[0])
    assert first[0] == first[1] > 1
    assert second[0] == 1  # the unknown


def test_a_damaged_byte_pair_vocabulary_is_refused() -> None:
    with pytest.raises(DataError, match="byte-pair vocabulary is damaged"):
        TokenEncoder.from_json({"unit": "bpe", "vocabulary": [], "pieces": '{"version": 1}'})


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(UsageError, match="tokens is 'syllables'; expected one of words"):
        TokenEncoder.fit("syllables", TEXTS, 100)


def test_the_tokenizers_library_is_read_for_byte_pairs_alone(fresh_python: FreshPython) -> None:
    code = """
import sys
from retrograd.data.texts.tokens import TokenEncoder
import retrograd.kinds.table.model
TokenEncoder.fit("words", ["a a"], 100).encode(["a"], 5)
assert "tokenizers" not in sys.modules
TokenEncoder.fit("bpe", ["a a"], 100)
assert "tokenizers" in sys.modules
"""
    result = fresh_python(code)
    assert result.returncode == 0, result.stderr
