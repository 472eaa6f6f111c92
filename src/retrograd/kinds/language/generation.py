"""Continues a text with a trained network, one character after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.autodiff.tape import no_grad
from retrograd.compiler import compile
from retrograd.errors import UsageError
from retrograd.kinds.language.model import LanguageModel
from retrograd.random import uniform
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Key
from retrograd.wording import listed

__all__ = ["continue_text"]

Array = np.ndarray[Any, Any]

# Characters drawn in one call into XLA: few enough to see them appear.
_PER_CALL = 16


def continue_text(
    model: LanguageModel,
    prompt: str,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
    notes: list[str] | None = None,
) -> Iterator[str]:
    """`length` characters after `prompt`, in pieces, as they are drawn.

    Each character is drawn from the network's probabilities, with the logits divided by
    `temperature` (0 takes the most probable), from the `top_k` most probable only (Fan, Lewis &
    Dauphin 2018). The same seed gives the same text. `notes` reports what the network does not see
    of the prompt. Raises UsageError for numbers out of range and for a prompt without any character
    that the network knows, at the call and not when the first piece is drawn.
    """
    if length < 0 or temperature < 0 or not math.isfinite(temperature):
        raise UsageError(
            f"The length is {length} and the temperature {temperature:g}; expected at least 0."
        )
    if top_k is not None and top_k < 1:
        raise UsageError(f"top_k is {top_k}; expected at least 1.")
    if not 0 <= seed < 2**64:
        raise UsageError(f"The seed is {seed}; expected 0 to {2**64 - 1}.")
    codes = model.vocabulary.encode(prompt, notes, "the prompt")
    if not len(codes):
        known = listed(map(repr, model.vocabulary.characters), most=80)
        raise UsageError(
            f"The prompt {prompt!r} has no character of the training text. Start with any of "
            f"{known}."
        )
    if len(codes) > model.context and notes is not None:
        notes.append(
            f"The network looks back over {model.context} characters, so it sees only the last of "
            f"the prompt's {len(codes):,}."
        )
    return _Writer(model, codes, temperature, top_k, seed).write(length)


class _Writer:
    """A window on the end of the text, which advances by one character each step."""

    def __init__(
        self, model: LanguageModel, codes: Array, temperature: float, top_k: int | None, seed: int
    ) -> None:
        self.model = model
        self.temperature = temperature
        self.top_k = None if top_k is None else min(top_k, len(model.vocabulary))
        last = codes[-model.context :]
        self.filled = Buffer(np.array(len(last), np.int32))
        # Whatever comes after the text so far is not seen, because the network only looks back.
        self.window = Buffer(np.pad(last, (0, model.context - len(last))))
        self.key = Key(np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32))
        self.step = compile(self._step)

    def write(self, length: int) -> Iterator[str]:
        self.model.network.eval()
        numbers = np.zeros(_PER_CALL, np.int8)  # one step each; their values are not used
        for start in range(0, length, _PER_CALL):
            codes = self.step.over(numbers).numpy()
            yield self.model.vocabulary.decode(codes[: length - start])

    def _step(self, number: Tensor) -> Tensor:
        context = self.model.context
        with no_grad():
            logits = self.model.network(ops.unsqueeze(self.window, 0))[0]
            drawn = self._draw(ops.take(logits, self.filled - 1, 0))
            is_full = self.filled == context
            moved = ops.where(is_full, ops.roll(self.window, -1), self.window)
            place = ops.where(is_full, context - 1, self.filled)
            self.window.data = ops.where(np.arange(context) == place, drawn, moved).data
            self.filled.data = (place + 1).astype("int32").data
        return drawn

    def _draw(self, logits: Tensor) -> Tensor:
        """A code, int32, from (characters,) logits."""
        if self.top_k is not None:
            least = ops.sort(logits, descending=True)[0][self.top_k - 1]
            logits = ops.where(logits >= least, logits, -math.inf)
        if self.temperature:
            # The largest sum with Gumbel noise is a draw from the softmax (Gumbel 1954).
            noise = -ops.log(-ops.log(uniform(logits.shape, key=self.key)))
            logits = logits / self.temperature + noise
        return ops.argmax(logits, 0).astype("int32")
