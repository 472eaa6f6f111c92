"""The examples in the README and the docs work as written.

In each Markdown file the ```python blocks run in order and share their names, and each
`$ retrograd ...` line of a ```console block runs in a shell that stops at a failure; all in one
folder, which holds `sacramento_homes.csv`. A ```text block after the comment `<!-- output -->` is
what the block before it prints, `...` standing for anything. `<!-- not run: REASON -->` before a
block leaves it out. Other names for these languages are refused: no example escapes by its name.
"""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from markdown_it import MarkdownIt
from support.interpreters import FreshPython

ROOT = Path(__file__).parent.parent
# tests/diagnosis/test_finding_pages.py runs the programs in docs/findings, and asks more of them.
DOCUMENTS = [
    *(ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "src/retrograd/autodiff/README.md"),
    *sorted(ROOT.glob("docs/*.md")),
]
REFUSED = {"bash", "py", "pycon", "python3", "sh", "shell", "shell-session", "zsh"}
COMMAND = re.compile(r"^\$ (retrograd\b(?:.*\\\n)*.*)$", re.MULTILINE)
# Its runs go wrong on purpose.
OF_FAULTS = {"diagnose.md"}
SHIM = f"""\
#!{sys.executable}
from retrograd.cli import main
main()
"""


class Block(NamedTuple):
    """A fenced block: the line of its opening fence, and the comment just before it."""

    line: int
    comment: str
    language: str
    text: str


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_work_as_written(document: Path, fresh_python: FreshPython) -> None:
    # In an interpreter of its own: an example may declare an operation or set a mode for good.
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    code += f"import test_docs; test_docs.run_document(test_docs.Path({str(document)!r}))"
    result = fresh_python(code, timeout=300)
    if result.returncode != 0:
        pytest.fail(f"{result.stdout}{result.stderr}", pytrace=False)


def run_document(document: Path) -> None:
    """Run the document's examples in the current folder; raise at the first that fails."""
    from retrograd import datasets

    shutil.copy(datasets.sacramento_homes(), "sacramento_homes.csv")
    _put_command_on_path(Path.cwd() / "bin")
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    for block in _blocks(document.read_text(encoding="utf-8")):
        where = f"{document.name}, line {block.line}"
        assert block.language not in REFUSED, f"{where}: call it `python` or `console`"
        if block.comment.startswith("not run"):
            assert re.match(r"not run: \S", block.comment), f"{where}: say why it is not run"
        elif block.comment == "output":
            matches = doctest.OutputChecker().check_output(block.text, printed, doctest.ELLIPSIS)
            assert matches, f"{where}: what is printed is\n{printed}"
        elif block.language == "python":
            # The blank lines before it make tracebacks name the document's own lines.
            source = "\n" * block.line + block.text
            with redirect_stdout(io.StringIO()) as output:
                exec(compile(source, str(document), "exec"), names)
            printed = output.getvalue()
        elif block.language == "console":
            printed = "".join(_run_command(line, where) for line in COMMAND.findall(block.text))
    if document.name not in OF_FAULTS:
        for kept in Path.cwd().rglob("findings.json"):
            found = json.loads(kept.read_text("utf-8"))["findings"]
            graver = [each for each in found if each["severity"] != "note"]
            assert not graver, f"{document.name}: {kept.parent.name} has findings: {graver}"


def _blocks(markdown: str) -> Iterator[Block]:
    comment = ""
    for token in MarkdownIt().parse(markdown):
        if token.type == "fence" and token.map is not None:
            yield Block(token.map[0] + 1, comment, token.info, token.content)
        is_comment = token.type == "html_block"
        comment = token.content.strip().strip("<>!-").strip() if is_comment else ""


def _put_command_on_path(folder: Path) -> None:
    folder.mkdir()
    command = folder / "retrograd"
    command.write_text(SHIM, encoding="utf-8")
    command.chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def _run_command(line: str, where: str) -> str:
    result = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, (
        f"{where}: `{line}` exits with {result.returncode}\n{result.stdout}{result.stderr}"
    )
    return result.stdout
