"""Scripts without spaces and letters with marks: Arrow's Unicode tables say what is one."""

from __future__ import annotations

import re
import sys
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retrograd.data import infer_schema
from retrograd.data.scripts import IDEOGRAPHS, UNSPACED_LETTERS, combining


@cache
def all_characters() -> pa.Array:
    points = (point for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000)
    return pa.array(map(chr, points))


def matched(pattern: str) -> set[str]:
    """The characters that Arrow's regular expressions count to a class of Unicode."""
    characters = all_characters()
    return set(characters.filter(pc.match_substring_regex(characters, pattern)).to_pylist())


def test_every_mark_belongs_to_its_letter() -> None:
    is_combining = re.compile(f"[{combining()}]")
    marks = matched(r"\p{M}")
    # Arrow may know a later Unicode than Python, with marks for scripts of the past.
    assert sum(map(bool, map(is_combining.match, marks))) > 0.97 * len(marks)
    assert all(map(is_combining.match, "\u0301\u093f\u094d\u064e\u0e31\U000e0100"))
    assert not is_combining.match("a")
    assert not is_combining.match("\u0915")  # a letter that carries marks


@pytest.mark.parametrize(
    ("characters", "scripts"),
    [
        (IDEOGRAPHS, ["Han", "Hiragana", "Katakana", "Bopomofo", "Yi"]),
        (UNSPACED_LETTERS, ["Thai", "Lao", "Khmer", "Myanmar", "Tai_Le", "Tai_Tham", "Javanese"]),
    ],
)
def test_scripts_without_spaces_are_known(characters: str, scripts: list[str]) -> None:
    is_unspaced = re.compile(f"[{characters}]")
    for script in scripts:
        letters = {each for each in matched(rf"\p{{{script}}}") if each.isalpha()}
        # A few signs, squared and circled words, stand outside the blocks of their script.
        assert sum(map(bool, map(is_unspaced.match, letters))) > 0.95 * len(letters), script
    assert not any(map(is_unspaced.match, "aé한яअب"))


SENTENCES = {
    "Chinese": "这部电影很好看。我喜欢",
    "Japanese": "この映画はとても面白かったです",
    "Thai": "หนังเรื่องนี้สนุกมากและฉันชอบมันมาก",
    "Khmer": "ភាពយន្តនេះល្អណាស់ខ្ញុំចូលចិត្តវា",
    "Lao": "ຮູບເງົາເລື່ອງນີ້ດີຫຼາຍຂ້ອຍມັກມັນ",
    "Burmese": "ဒီရုပ်ရှင်ကအရမ်းကောင်းတယ်ကျွန်တော်ကြိုက်တယ်",
    "Hindi": "यह फ़िल्म बहुत अच्छी है और मुझे पसंद आई",
    "Tamil": "இந்தப் படம் மிகவும் நன்றாக இருக்கிறது எனக்குப் பிடித்தது",
    "Arabic": "هذا الفيلم جميل جدا وقد أعجبني كثيرا",
    "Korean": "이 영화는 정말 재미있고 배우들도 아주 훌륭했어요",
    "decomposed accents": "un tre\u0301s beau film sur la vie a\u0300 la mer",
}
NAMES = {
    "Chinese": "王小明",
    "Japanese": "山田太郎",
    "Thai": "สมชาย ใจดี",
    "Korean": "김철수",
    "Hindi": "राम कुमार शर्मा",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_of_any_script_are_free_text(language: str) -> None:
    texts = [f"{SENTENCES[language]} {number}" for number in range(60)]
    schema = infer_schema(pa.table({"review": texts, "y": [0, 1] * 30}), "y")
    assert [column.name for column in schema.texts] == ["review"]


@pytest.mark.parametrize("language", NAMES)
def test_names_in_any_script_are_no_free_text(language: str) -> None:
    names = [f"{NAMES[language]} {number}" for number in range(60)]
    table = pa.table({"name": names, "age": [*range(20, 40)] * 3, "y": [0, 1] * 30})
    assert not infer_schema(table, "y").texts
