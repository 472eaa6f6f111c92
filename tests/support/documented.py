"""What docs/command.md says of the command's JSON."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["COMMAND_PAGE", "documented"]

COMMAND_PAGE = (Path(__file__).parents[2] / "docs/command.md").read_text("utf-8")


def documented(command: str, heading: str = "key") -> list[str]:
    """The keys in the table under `heading` of a command's section."""
    section = re.search(rf"^### .*`{command}`.*\n((?:(?!^#).*\n)*)", COMMAND_PAGE, re.MULTILINE)
    assert section is not None, command
    table = section[1].split(f"| {heading} |")[1].split("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
