"""The instruments of a run, what they find wrong, and what mends it.

The room is also what it is for: `rg.diagnose(model, data, ...)`, see `diagnose.diagnose`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrograd.diagnose.finding import Finding


class _Room(ModuleType):
    """A package that is called like the function it is named for."""

    def __call__(self, *args: Any, **options: Any) -> list[Finding]:
        from retrograd.diagnose.diagnose import diagnose  # takes libraries that are slow to load

        return diagnose(*args, **options)


sys.modules[__name__].__class__ = _Room
