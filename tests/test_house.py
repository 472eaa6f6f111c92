"""The layout holds: no circle of imports, no crowded folder, no long file, no class name twice."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src/retrograd"
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


KNOWN = {module_of(each) for each in FILES}


def imports(file: Path) -> set[str]:
    """The modules of the package that a file imports when it runs, in functions too.

    What only annotations need (`if TYPE_CHECKING:`) makes no circle.
    """
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(each.name for each in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{each.name}" for each in node.names}
            found.update(names & KNOWN or {node.module})
        for child in ast.iter_child_nodes(node):
            walk(child)

    walk(ast.parse(file.read_text("utf-8")))
    own = module_of(file)
    # A package's face stands above its own files.
    return {each for each in found & KNOWN if each != own and not own.startswith(f"{each}.")}


def test_imports_make_no_circle() -> None:
    TopologicalSorter({module_of(file): imports(file) for file in FILES}).prepare()


def test_no_folder_is_crowded() -> None:
    counts = Counter(file.parent for file in FILES if file.name != "__init__.py")
    assert {str(folder): count for folder, count in counts.items() if count > 15} == {}


def test_no_file_is_long() -> None:
    lengths = {str(file): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {file: length for file, length in lengths.items() if length > 400} == {}


def test_a_class_name_means_one_thing() -> None:
    trees = (ast.parse(file.read_text("utf-8")) for file in FILES)
    names = Counter(node.name for tree in trees for node in tree.body if type(node) is ast.ClassDef)
    assert [name for name, count in names.items() if count > 1] == []
