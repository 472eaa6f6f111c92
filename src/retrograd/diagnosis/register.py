"""How a check is declared: the findings it can make, and the parts of a `Case` it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

from retrograd.diagnosis.catalogue import catalogue
from retrograd.diagnosis.finding import Finding

if TYPE_CHECKING:
    from retrograd.diagnosis.checks.case import Case

__all__ = ["Check", "check", "registered"]


@dataclass(frozen=True)
class Check:
    """A function from a case to findings with one of `codes`; calling it returns a list.

    `reads` names the attributes of `Case` that the check requires: if one is None, it finds
    nothing. The function receives those that it has a parameter for.
    """

    codes: tuple[str, ...]
    reads: tuple[str, ...]
    function: Callable[..., Iterator[Finding]]

    def __call__(self, case: Case) -> list[Finding]:
        needed: dict[str, Any] = {}
        for name in self.reads:
            needed[name] = getattr(case, name)
            if needed[name] is None:
                return []
        asked = signature(self.function).parameters
        return list(self.function(case, **{n: v for n, v in needed.items() if n in asked}))

    @property
    def name(self) -> str:
        """The file and the function."""
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"


_REGISTERED: dict[str, Check] = {}


def check(
    *codes: str, reads: tuple[str, ...] = ()
) -> Callable[[Callable[..., Iterator[Finding]]], Check]:
    """Declare a check that reports findings with `codes`.

        @check("RG218", reads=("record",))
        def trained_in_evaluation(case: Case, record: Record) -> Iterator[Finding]: ...

    Raises KeyError for a code that is not in the catalogue.
    """
    for code in codes:
        catalogue()[code]

    def declare(function: Callable[..., Iterator[Finding]]) -> Check:
        made = Check(codes, reads, function)
        _REGISTERED[made.name] = made
        return made

    return declare


def registered() -> list[Check]:
    """The checks declared so far, in the order of the catalogue's stages."""
    known = catalogue()
    return sorted(
        _REGISTERED.values(), key=lambda each: min((known[c].stage, c) for c in each.codes)
    )
