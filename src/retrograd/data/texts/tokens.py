"""A text as a sequence of tokens: words, characters, or byte-pair pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from retrograd.data.texts.ngrams import words_of
from retrograd.data.texts.ragged import PADDING, Ragged
from retrograd.errors import DataError, UsageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TOKENS", "TokenEncoder"]

TOKENS = ("words", "characters", "bpe")

# The id of tokens that were not in the training data, after PADDING.
_UNKNOWN = 1
_RESERVED = ("[PAD]", "[UNK]")
_FEWEST = 2


@dataclass(frozen=True)
class TokenEncoder:
    """Tokens of the kind `unit`, one of `TOKENS`, as ids in order.

    `vocabulary` is the words or characters that occur at least twice in the training data, the
    first with the id 2. For a byte-pair vocabulary (Sennrich, Haddow, Birch 2016) it is empty, and
    `pieces` is the `tokenizers` library's JSON. Words are in lower case.
    """

    unit: str
    vocabulary: tuple[str, ...] = ()
    pieces: str = ""

    @classmethod
    def fit(cls, unit: str, texts: Sequence[str], most: int) -> Self:
        """The vocabulary of `texts`, at most `most` tokens; UsageError for an unknown unit."""
        if unit not in TOKENS:
            raise UsageError(f"tokens is {unit!r}; expected one of {', '.join(TOKENS)}.")
        if unit == "bpe":
            return cls(unit, pieces=_trained(texts, most))
        counts = Counter(token for text in texts for token in _split(unit, text))
        common = counts.most_common(most)
        return cls(unit, tuple(token for token, times in common if times >= _FEWEST))

    def to_json(self) -> dict[str, Any]:
        return {"unit": self.unit, "vocabulary": list(self.vocabulary), "pieces": self.pieces}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """DataError for a byte-pair vocabulary that cannot be read."""
        encoder = cls(
            str(saved["unit"]), tuple(map(str, saved["vocabulary"])), str(saved["pieces"])
        )
        if encoder.pieces:
            encoder._tokenizer  # noqa: B018 - read now, so that a damaged one is refused on loading
        return encoder

    @property
    def size(self) -> int:
        """The number of ids, including those for padding and unknown tokens."""
        if self.unit == "bpe":
            return int(self._tokenizer.get_vocab_size())
        return len(_RESERVED) + len(self.vocabulary)

    def encode(self, texts: Sequence[str], longest: int) -> tuple[Ragged, int]:
        """The ids of each text, and the number of texts that were cut at `longest` tokens."""
        if self.unit == "bpe":
            rows = [each.ids for each in self._tokenizer.encode_batch(list(texts))]
        else:
            rows = [
                [self._ids.get(token, _UNKNOWN) for token in _split(self.unit, text)]
                for text in texts
            ]
        return Ragged.of(row[:longest] for row in rows), sum(len(row) > longest for row in rows)

    def split(self, text: str) -> list[str]:
        """The tokens of a text as they are written."""
        if self.unit == "bpe":
            return [text[slice(*ends)] for ends in self._tokenizer.encode(text).offsets]
        return list(_split(self.unit, text))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: place for place, token in enumerate(self.vocabulary, len(_RESERVED))}

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_str(self.pieces)
        except Exception as error:  # the library raises nothing more specific
            raise DataError(f"The saved byte-pair vocabulary is damaged ({error}).") from error


def _split(unit: str, text: str) -> Iterable[str]:
    return words_of(text) if unit == "words" else text


def _trained(texts: Iterable[str], most: int) -> str:
    """The JSON of a byte-pair vocabulary of at most `most` pieces, trained on `texts`."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=_RESERVED[_UNKNOWN]))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    # The order of the special tokens gives padding and unknown tokens their ids.
    trainer = trainers.BpeTrainer(
        vocab_size=most, special_tokens=list(_RESERVED), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    assert tokenizer.token_to_id(_RESERVED[PADDING]) == PADDING
    return str(tokenizer.to_str())
