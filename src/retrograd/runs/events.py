"""What a callback may be told besides the training itself: what comes before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd.kinds.base.kind import Prepared
from retrograd.training import Callback

__all__ = ["RunCallback"]


class RunCallback(Callback):
    """A callback of `rg.train` that is told of the run around its training as well."""

    def on_damage(self, notes: Sequence[str]) -> None:
        """A run resumes from an older state than its newest; `notes` says what is damaged."""

    def on_prepared(self, prepared: Prepared[Any]) -> None:
        """The data is read and the network built; a run that resumes has its history."""

    def on_scoring(self) -> None:
        """Training has ended well; the network is scored, and what may be wrong looked for."""

    def on_left_out(self, what: Sequence[str]) -> None:
        """All is over, and there was no time for some of it, which `what` names."""
