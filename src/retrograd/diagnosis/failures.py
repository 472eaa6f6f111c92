"""What `rg.diagnose` says when a check, or the model that it looks at, fails."""

from __future__ import annotations

__all__ = ["CheckWarning"]


class CheckWarning(UserWarning):
    """A check failed; the findings of the others are still reported."""
