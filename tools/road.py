"""Count the road of one gradient: the code that a reader meets from a call to `.grad`.

    python tools/road.py

Lines without docstrings, comments and blank lines. tests/autodiff/test_road.py holds the sum.
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src/retrograd"

# By file, the functions and classes (whole) in the order in which they are met.
ROAD = {
    "methods.py": ["TensorMethods.__mul__"],
    "ops/elementwise.py": ["multiply", "multiply.pullbacks"],
    "autodiff/primitive.py": [
        "Primitive.__call__",
        "Primitive._bind",
        "Primitive._settled",
        "Primitive.plan",
        "_Plan",
        "_Rule",
        "Applied",
        "_tensors",
    ],
    "tensor.py": [
        "Tensor._wrap",
        "Tensor.backward",
        "Tensor._cotangent",
        "Tensor._sum_to",
        "Tensor._cast",
    ],
    "autodiff/tape.py": [
        "recording",
        "Node",
        "Leaf",
        "Output",
        "backpropagate",
        "_walking",
        "_accumulate",
        "_seen",
        "reached",
        "_by_order",
    ],
    "variable.py": ["Variable.grad"],
}
