"""Differentiable operations: forward and backward side by side, a folder a family.

PyTorch's names, argument order and defaults; NumPy's `axis` and `keepdims` are understood too.
What a file lists in `__all__` is public here and in `retrograd`.
"""

# A star takes what the file lists in `__all__`.
# ruff: noqa: F403

from typing import TYPE_CHECKING

from retrograd.ops.control.branches import *
from retrograd.ops.control.loops import *
from retrograd.ops.control.while_loop import *
from retrograd.ops.elementwise.activations import *
from retrograd.ops.elementwise.arithmetic import *
from retrograd.ops.elementwise.bits import *
from retrograd.ops.elementwise.closeness import *
from retrograd.ops.elementwise.comparison import *
from retrograd.ops.elementwise.composed import *
from retrograd.ops.elementwise.exponential import *
from retrograd.ops.elementwise.powers import *
from retrograd.ops.elementwise.rounding import *
from retrograd.ops.elementwise.selection import *
from retrograd.ops.elementwise.special import *
from retrograd.ops.elementwise.trigonometric import *
from retrograd.ops.indexing.found import *
from retrograd.ops.indexing.index import *
from retrograd.ops.indexing.masked import *
from retrograd.ops.indexing.scatter import *
from retrograd.ops.indexing.sections import *
from retrograd.ops.indexing.slicing import *
from retrograd.ops.linalg.blas import *
from retrograd.ops.linalg.covariance import *
from retrograd.ops.linalg.decompositions import *
from retrograd.ops.linalg.determinants import *
from retrograd.ops.linalg.diagonals import *
from retrograd.ops.linalg.distances import *
from retrograd.ops.linalg.einsum import *
from retrograd.ops.linalg.matrices import *
from retrograd.ops.linalg.matrix_functions import *
from retrograd.ops.linalg.norms import *
from retrograd.ops.linalg.products import *
from retrograd.ops.linalg.solve import *
from retrograd.ops.reductions.cumulative import *
from retrograd.ops.reductions.extremes import *
from retrograd.ops.reductions.norms import *
from retrograd.ops.reductions.occurrences import *
from retrograd.ops.reductions.order import *
from retrograd.ops.reductions.softmax import *
from retrograd.ops.reductions.sums import *
from retrograd.ops.reductions.truth import *
from retrograd.ops.shapes.parts import *
from retrograd.ops.shapes.shape import *
from retrograd.ops.shapes.stacks import *
from retrograd.ops.synonyms import *

if not TYPE_CHECKING:  # what checks types reads the stars, and cannot read this
    __all__ = sorted(name for name, value in dict(globals()).items() if callable(value))
