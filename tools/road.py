"""Count the road of one gradient: the code that a reader meets from a call to `.grad`.

    python tools/road.py

Lines without docstrings, comments and blank lines. Beside the road lie `autodiff/signature.py` (how
a call may be spelled, what a rule may ask for) and `autodiff/hooks.py` (who listens).
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src/retrograd"

# By file, the functions and whole classes that are met; `multiply` stands for an operation.
ROAD = {
    "methods.py": ["TensorMethods.__mul__"],
    "ops/elementwise.py": ["multiply", "multiply.pullbacks"],
    "autodiff/primitive.py": [
        *("Primitive.pullbacks", "Primitive.__call__", "Primitive._settled", "Primitive.plan"),
        *("_Rule", "_Plan", "Applied", "_array", "_tensors"),
    ],
    "autodiff/tape.py": [
        *("recording", "_doing", "Node", "Leaf", "Output"),
        *("backpropagate", "_accumulate", "reached", "_by_order"),
    ],
    "tensor.py": ["Tensor.backward", "Tensor._cotangent", "Tensor._sum_to", "Tensor._cast"],
    "variable.py": ["Variable.grad"],
}


def count() -> dict[str, int]:
    """The lines of code of each piece, by `file: name`."""
    found = {}
    for file, names in ROAD.items():
        source = (PACKAGE / file).read_text(encoding="utf-8")
        code = _lines_with_code(source)
        pieces = list(_pieces(ast.parse(source).body, ""))
        for name in names:
            nodes = [node for known, node in pieces if known == name]
            if not nodes:
                raise ValueError(f"{file} has no {name}")
            found[f"{file}: {name}"] = sum(
                len(code & set(range(_first(node), (node.end_lineno or 0) + 1))) for node in nodes
            )
    return found


def _pieces(body: list[ast.stmt], inside: str) -> Iterator[tuple[str, ast.stmt]]:
    """Functions and classes, assigned names, and calls such as `multiply.pullbacks(...)`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield inside + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _pieces(node.body, f"{node.name}.")
        if isinstance(node, ast.Assign):
            yield inside + ast.unparse(node.targets[0]), node
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield ast.unparse(node.value.func), node


def _first(node: ast.stmt) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])


def _lines_with_code(source: str) -> set[int]:
    lines: set[int] = set()
    empty = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in empty:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(
            node
        ):
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return lines


if __name__ == "__main__":
    pieces = count()
    for name, lines in pieces.items():
        print(f"{lines:4}  {name}")
    print(f"{sum(pieces.values()):4}  in all")
