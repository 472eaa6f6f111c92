"""Write docs/coverage-api.md: every public name of PyTorch's that models use, and what is here.

    python tools/coverage_api.py

Three answers: the name is here, something else does it (`elsewhere/names.toml` says what), or it is
left out (it says why). A name that has none of the three makes the script fail.
"""

from __future__ import annotations

import inspect
import types
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.utils.data

import retrograd as rg
from retrograd import nn, optim
from retrograd.elsewhere import advice

__all__ = ["NAMESPACES", "Answers", "answers", "main", "page", "public_names"]

PAGE = Path(__file__).parent.parent / "docs/coverage-api.md"

NAMESPACES: dict[str, tuple[Any, Any]] = {
    "torch": (torch, rg),
    "torch.Tensor": (torch.Tensor, rg.Tensor),
    "torch.nn": (torch.nn, nn),
    "torch.nn.functional": (torch.nn.functional, nn.functional),
    "torch.optim": (torch.optim, optim),
    "torch.optim.lr_scheduler": (torch.optim.lr_scheduler, optim.lr_scheduler),
    "torch.nn.utils": (torch.nn.utils, nn.utils),
    "torch.utils.data": (torch.utils.data, rg.utils.data),
}

HEAD = f"""\
# PyTorch's public names

Written by `python tools/coverage_api.py` from PyTorch {torch.__version__.partition("+")[0]}: every
name that a namespace shows without a leading underscore and that PyTorch documents. *Here* is a
name that Retrograd has; *otherwise* one whose work something else does; *left out* one that there
is nothing for. Whoever uses a missing name is told what stands here.

| namespace | names | here | otherwise | left out | here or otherwise |
| --- | ---: | ---: | ---: | ---: | ---: |
"""


class Answers(NamedTuple):
    """The names of a namespace by what is said of them; the last two with the words."""

    here: list[str]
    otherwise: dict[str, str]
    left_out: dict[str, str]
    unknown: list[str]


def public_names(owner: Any) -> list[str]:
    """What `owner` shows and documents, modules and what it imports from elsewhere left out."""
    found = []
    for name in dir(owner):
        value = getattr(owner, name, None)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        home = str(getattr(value, "__module__", None) or "torch")
        documented = bool(inspect.getdoc(value)) or not callable(value)
        if documented and home.partition(".")[0] in ("torch", "builtins"):
            found.append(name)
    return found


def answers(namespace: str) -> Answers:
    """What there is of each public name."""
    theirs, ours = NAMESPACES[namespace]
    result = Answers([], {}, {}, [])
    shown = set(dir(ours))
    for name in public_names(theirs):
        found = advice(namespace, name)
        if name in shown:
            result.here.append(name)
        elif found is None:
            result.unknown.append(name)
        else:
            (result.otherwise if found[0] == "otherwise" else result.left_out)[name] = found[1]
    return result


def page() -> str:
    """The page; raises SystemExit for names that nothing is said of."""
    found = {namespace: answers(namespace) for namespace in NAMESPACES}
    unknown = {name: each.unknown for name, each in found.items() if each.unknown}
    if unknown:
        raise SystemExit(f"elsewhere/names.toml says nothing of {unknown}")
    text = HEAD
    for namespace, (here, otherwise, left_out, _) in found.items():
        total = len(here) + len(otherwise) + len(left_out)
        share = (len(here) + len(otherwise)) / total
        text += (
            f"| `{namespace}` | {total} | {len(here)} | {len(otherwise)} | {len(left_out)} "
            f"| {share:.0%} |\n"
        )
    for namespace, (here, otherwise, left_out, _) in found.items():
        text += f"\n## `{namespace}`\n\n**Here** ({len(here)}): {_listed(here)}.\n"
        text += _explained("Otherwise", otherwise) + _explained("Left out", left_out)
    return text


def _explained(title: str, names: dict[str, str]) -> str:
    if not names:
        return ""
    by_words: dict[str, list[str]] = defaultdict(list)
    for name, words in names.items():
        by_words[words].append(name)
    rows = "".join(f"- {_listed(each)}: {words}.\n" for words, each in by_words.items())
    return f"\n**{title}** ({len(names)}):\n\n{rows}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names, key=str.lower))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
