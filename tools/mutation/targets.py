"""What mutants are made of, and the tests that judge them: a target is a set of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "TARGETS", "Target"]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "retrograd"
TRAINING = (
    *("metrics", "scores", "callbacks", "trainer", "history"),
    *("objective", "recipe", "sources", "options", "predictor"),
)


@dataclass(frozen=True)
class Target:
    """`files` below `folder`, and the `tests` that judge them, each recorded by itself.

    `heading` is that of the part of the page, `about` its first words.
    """

    heading: str
    about: str
    folder: Path
    files: tuple[Path, ...]
    tests: tuple[str, ...]
    budget: float  # CPU seconds of tests a mutant

    def relative(self, file: Path) -> str:
        """A file as the page names it."""
        return file.relative_to(self.folder).as_posix()


def _tests(*folders: str) -> tuple[str, ...]:
    found = [file for folder in folders for file in sorted((ROOT / folder).rglob("test_*.py"))]
    return tuple(file.relative_to(ROOT).as_posix() for file in found)


TARGETS = {
    "ops": Target(
        "Operations and their rules",
        "All forwards, rules and helpers in src/retrograd/ops.",
        SOURCE / "ops",
        tuple(sorted((SOURCE / "ops").rglob("*.py"))),
        # The samples eagerly; then all that tests the operations. PyTorch's are not compiled here.
        ("tools/mutation/checks.py", "tests/ops"),
        budget=40,
    ),
    "decisions": Target(
        "What decides: checks, metrics, training, splits",
        "The checks of diagnosis and what they stand on, the training room and the splits.",
        SOURCE,
        (
            *sorted((SOURCE / "diagnosis" / "checks").glob("[!_]*.py")),
            *sorted((SOURCE / "diagnosis" / "outcome").glob("[!_]*.py")),
            SOURCE / "diagnosis" / "probes" / "answers.py",
            *(SOURCE / "training" / f"{name}.py" for name in TRAINING),
            SOURCE / "data" / "split.py",
            SOURCE / "kinds" / "base" / "split.py",
        ),
        (
            *_tests("tests/diagnosis/checks", "tests/diagnosis/outcome", "tests/diagnosis/probes"),
            *_tests("tests/training", "tests/kinds/base"),
            "tests/data/test_split.py",
        ),
        budget=5,
    ),
}
