"""Sample inputs and an independent JAX oracle for every operation: what test_registry.py runs over.

`TABLE` has one entry for each primitive and for each public function. A new operation goes into the
file of its family; one without an entry fails the suite.
"""

from __future__ import annotations

from samples_compare import COMPARE
from samples_composed import COMPOSED
from samples_control import CONTROL
from samples_elementwise import ELEMENTWISE
from samples_index import INDEX
from samples_kinds import Op
from samples_linalg import LINALG
from samples_matrices import MATRICES
from samples_reduce import REDUCE
from samples_shape import SHAPE
from samples_special import SPECIAL
from samples_windows import WINDOWS

TABLE: dict[str, Op] = {
    **COMPARE,
    **COMPOSED,
    **CONTROL,
    **ELEMENTWISE,
    **INDEX,
    **LINALG,
    **MATRICES,
    **REDUCE,
    **SHAPE,
    **SPECIAL,
    **WINDOWS,
}
