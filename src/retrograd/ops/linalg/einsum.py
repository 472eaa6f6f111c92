"""Einstein summation, whose backward pass is einstein summation."""

from __future__ import annotations

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.shapes.shape import Shape, broadcast_to, permute, reshape

__all__ = ["einsum"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@primitive(single="eager")
def contract(xp: Namespace, *operands: Array, inputs: tuple[str, ...], output: str) -> Array:
    """Products summed over the letters missing from `output`; no letter repeats in an operand."""
    return xp.einsum(f"{','.join(inputs)}->{output}", *operands, optimize=len(operands) > 2)


def _other_operands(
    g: Tensor,
    operands: tuple[Tensor, ...],
    operands_shape: tuple[Shape, ...],
    position: int,
    inputs: tuple[str, ...],
    output: str,
) -> Tensor:
    """The same sum with the cotangent in the operand's place, and the operand's letters kept."""
    mine = inputs[position]
    others = [i for i in range(len(inputs)) if i != position]
    letters = (output, *(inputs[i] for i in others))
    # A letter of this operand alone was summed away: the cotangent is constant along it.
    found = "".join(letter for letter in mine if any(letter in each for each in letters))
    pulled = contract(g, *(operands[i] for i in others), inputs=letters, output=found)
    shape = operands_shape[position]
    spread = tuple(n if letter in found else 1 for n, letter in zip(shape, mine, strict=True))
    return broadcast_to(reshape(pulled, shape=spread), shape=shape)


contract.pullbacks(operands=_other_operands)


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """Einstein summation, as `einsum("nik,nkj->nij", a, b)`; ellipses and repeated letters too.

    Raises ValueError if the equation does not fit the operands.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise ValueError(
            f"einsum: {equation!r} describes {len(inputs)} operands, {len(operands)} were given"
        )
    free = [letter for letter in _LETTERS if letter not in equation]
    widest = 0
    for each, operand in zip(inputs, operands, strict=True):
        named = len(each.replace("...", ""))
        if named > operand.ndim or ("..." not in each and named != operand.ndim):
            raise ValueError(
                f"einsum: {each!r} in {equation!r} names {named} axes; "
                f"the operand has shape {tuple(operand.shape)}"
            )
        if "..." in each:
            widest = max(widest, operand.ndim - named)
    dots = "".join(free[:widest])
    inputs = [
        each.replace("...", dots[widest - (operand.ndim - len(each.replace("...", ""))) :])
        for each, operand in zip(inputs, operands, strict=True)
    ]
    if arrow:
        output = right.replace("...", dots)
    else:
        joined = "".join(inputs)
        output = dots + "".join(sorted(c for c in set(joined) - set(dots) if joined.count(c) == 1))
    sizes: dict[str, int] = {}
    for each, operand in zip(inputs, operands, strict=True):
        for letter, n in zip(each, operand.shape, strict=True):
            sizes[letter] = n if sizes.get(letter, 1) == 1 else sizes[letter]
    prepared = [_prepare(*pair, sizes) for pair in zip(operands, inputs, strict=True)]
    return contract(
        *(tensor for tensor, _ in prepared),
        inputs=tuple(letters for _, letters in prepared),
        output=output,
    )


def _prepare(x: Tensor, letters: str, sizes: dict[str, int]) -> tuple[Tensor, str]:
    """`x` without broadcast axes and without repeated letters (their diagonal is taken)."""
    x = broadcast_to(x, shape=tuple(sizes[letter] for letter in letters))
    for letter in sorted(set(letters)):
        while letters.count(letter) > 1:
            x, letters = _diagonal(x, letters, letter)
    return x, letters


def _diagonal(x: Tensor, letters: str, letter: str) -> tuple[Tensor, str]:
    """The diagonal over two axes of the same letter."""
    first = letters.index(letter)
    second = letters.index(letter, first + 1)
    rest = [i for i in range(x.ndim) if i not in (first, second)]
    n = x.shape[first]
    moved = permute(x, dims=(*rest, first, second))
    lead = tuple(moved.shape[: len(rest)])
    flat = reshape(moved, shape=(*lead, n * n))
    return flat[..., :: n + 1], "".join(letters[i] for i in rest) + letter
