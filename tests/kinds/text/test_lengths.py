"""A text is read as far as a step has memory for: whole by the bag, less of it by attention."""

from __future__ import annotations

import pytest

from retrograd.kinds.text.architectures import ARCHITECTURES, NUMBERS
from retrograd.kinds.text.lengths import longest_read


@pytest.mark.parametrize("name", ARCHITECTURES.names)
@pytest.mark.parametrize("batch_size", [1, 16, 64, 256])
def test_a_step_of_the_longest_texts_is_within_two_gigabytes(name: str, batch_size: int) -> None:
    per_token, per_pair = NUMBERS[name]
    longest = longest_read(name, batch_size)
    held = [4 * batch_size * n * (per_token + per_pair * n) for n in (longest, 2 * longest)]
    assert held[0] <= 2 << 30 or longest == 256
    assert held[1] > 2 << 30 or longest == 524_288  # the most that may be asked for


def test_a_bag_reads_novels_and_attention_pages() -> None:
    assert longest_read("bag", 16) == 131_072
    assert longest_read("bag", 256) == 8192
    assert longest_read("transformer", 16) == 1024
    assert longest_read("transformer", 256) == 256
