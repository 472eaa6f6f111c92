"""Sample inputs and an independent JAX oracle for every operation: what test_registry.py runs over.

`TABLE` has one entry for each primitive and for each public function. A new operation goes into the
file of its family; one without an entry fails the suite.
"""

from __future__ import annotations

from support.samples.compare import COMPARE
from support.samples.composed import COMPOSED
from support.samples.control import CONTROL
from support.samples.elementwise import ELEMENTWISE
from support.samples.index import INDEX
from support.samples.kinds import Op
from support.samples.linalg import LINALG
from support.samples.matrices import MATRICES
from support.samples.reduce import REDUCE
from support.samples.shape import SHAPE
from support.samples.special import SPECIAL
from support.samples.windows import WINDOWS

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
