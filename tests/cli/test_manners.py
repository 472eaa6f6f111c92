"""One dialect: help without types, refusals before work, nothing replaced unasked, exit codes."""

from __future__ import annotations

import csv
import inspect
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from support.command import QUICK, Command, write_houses
from support.interpreters import FreshPython

from retrograd import runs
from retrograd.cli.app import app
from retrograd.cli.speech import say
from retrograd.kinds.registry import KINDS
from retrograd.runs import session

COMMANDS = [each.callback.__name__ for each in app.registered_commands if each.callback]


# Help ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_what_is_typed_and_no_type(command: str, retrograd: Command) -> None:
    short, long = retrograd(command, "-h"), retrograd(command, "--help")
    assert short.code == long.code == 0
    assert short.out == long.out
    assert not re.search(r"<\w|\b(bool|str|int|float|list\[|path)>|\{run|\[data\]", long.out)
    assert "--json" in long.out


def test_the_first_words_do_not_wait_for_slow_libraries(fresh_python: FreshPython) -> None:
    """What is imported before the first words takes well under half a second."""
    told = fresh_python("import sys, retrograd.cli.app; print(*sys.modules)")
    assert told.returncode == 0, told.stderr
    slow = {"jax", "sklearn", "pyarrow", "narwhals", "scipy", "jinja2", "safetensors", "pydantic"}
    assert not {name.partition(".")[0] for name in told.stdout.split()} & slow


def test_training_speaks_before_it_imports_what_is_slow(retrograd: Command, tmp_path: Path) -> None:
    source = inspect.getsource(inspect.getmodule(_callback("train")))
    body = source[source.index("started = ") :]
    assert body.index('say(console, f"Reading') < body.index("from retrograd.runs import")


def _callback(command: str) -> object:
    return next(e.callback for e in app.registered_commands if e.callback.__name__ == command)


# Refusals -----------------------------------------------------------------------------------------


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading data, or loading a model, fails the test: it comes after every refusal."""

    def never(*_: object, **__: object) -> None:
        pytest.fail("the data was read before the refusal")

    for kind in {type(each) for each in KINDS.values()}:
        monkeypatch.setattr(kind, "read", never)
    monkeypatch.setattr(runs.Run, "predict_table", never)
    monkeypatch.setattr(runs.Run, "explain", never)


@pytest.mark.usefixtures("no_reading")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("train houses.csv --target price --out run", "run exists already"),
        ("train houses.csv --target price --out pictures --force", "pictures exists already"),
        ("predict run houses.csv --out houses.csv", "houses.csv exists already"),
        ("predict run houses.csv --out p.xlsx", "expected .csv, .tsv, .parquet"),
        ("predict run houses.csv --out houses.csv/p.csv", "part of the path is a file"),
        ("explain run houses.csv --out houses.csv", "houses.csv exists already"),
        ("explain run houses.csv --out pictures", "it is a folder"),
        ("explain run houses.csv --row 0", "--row is '0'; expected a whole number of at least 1."),
        ("explain run houses.csv --row x", "--row is 'x'; expected a whole number of at least 1."),
        ("watch run --port 99999", "expected a whole number from 0 to 65,535."),
        ("generate run --prompt a --temperature hot", "--temperature is 'hot'"),
        ("train houses.csv --target price --epochs 0", "expected a whole number from 1 to"),
        ("train houses.csv --target price --epochs ten", "expected a whole number from 1 to"),
        ("train houses.csv --target price --epochs 2e6", "from 1 to 1,000,000."),
        ("train houses.csv --target price --time-limit soon", "time_limit is 'soon'; expected a"),
        ("train houses.csv --no-such-option", "No such option: --no-such-option. `retrograd train"),
        ("evaluate run", "Missing argument 'DATA'. `retrograd evaluate -h`"),
        ("trian", "No such command 'trian'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence_before_any_work(
    command: str, said: str, retrograd: Command, trained: Path
) -> None:
    (trained / "pictures").mkdir()
    (trained / "pictures" / "a.png").write_bytes(b"")
    result = retrograd(*command.split())
    assert result.code == 2
    assert said in result.err
    assert result.err.startswith("error: ")
    assert len(result.err.splitlines()) == 1


def test_a_message_is_broken_between_words_and_only_in_a_terminal() -> None:
    text = "Cannot read /a/folder/whose/name/is/longer/than/a/line/of/this.png; remove it."
    narrow = Console(force_terminal=True, width=30, no_color=True)
    with narrow.capture() as shown:
        say(narrow, text)
    lines = shown.get().splitlines()
    assert [line.rstrip() for line in lines][1:] == [
        "/a/folder/whose/name/is/longer/than/a/line/of/this.png;",
        "remove it.",
    ]
    piped = Console(force_terminal=False, width=30)
    with piped.capture() as shown:
        say(piped, text)
    assert shown.get() == f"{text}\n"


# Files --------------------------------------------------------------------------------------------


def test_folders_are_made_for_what_is_written(retrograd: Command, trained: Path) -> None:
    assert retrograd("predict", "run", "houses.csv", "--out", "new/deep/p.csv").code == 0
    assert retrograd("explain", "run", "houses.csv", "--out", "other/deep/e.html").code == 0
    assert (trained / "new/deep/p.csv").is_file()
    assert (trained / "other/deep/e.html").is_file()


def test_a_file_is_replaced_by_force_alone(retrograd: Command, trained: Path) -> None:
    (trained / "p.csv").write_text("mine\n")
    assert retrograd("predict", "run", "houses.csv", "--out", "p.csv").code == 2
    assert (trained / "p.csv").read_text() == "mine\n"
    assert retrograd("predict", "run", "houses.csv", "--out", "p.csv", "--force").code == 0
    assert (trained / "p.csv").read_text().startswith("size,")


def test_a_run_is_replaced_by_force_and_only_by_a_run(retrograd: Command, trained: Path) -> None:
    old = (trained / "run" / "weights.safetensors").read_bytes()
    bad = ("train", "houses.csv", "--target", "city", "--out", "run", "--force", "--epochs", 1)
    failed = retrograd(*bad, "--set", "batch_size=7", "--kind", "siez=number")
    assert failed.code == 2
    assert (trained / "run" / "weights.safetensors").read_bytes() == old
    assert retrograd(*bad, "--quiet", *QUICK).code == 0
    assert (trained / "run" / "weights.safetensors").read_bytes() != old
    assert sorted(each.name for each in trained.iterdir()) == ["houses.csv", "run"]


def test_a_run_comes_back_if_the_one_in_its_place_leaves_nothing(
    retrograd: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "write_recipe", press)
    result = retrograd("train", "houses.csv", "--target", "price", "--out", "run", "--force")
    assert result.code == 130
    assert retrograd("evaluate", "run", "houses.csv").code == 0
    assert sorted(each.name for each in trained.iterdir()) == ["houses.csv", "run"]


def test_what_is_printed_is_what_is_written(retrograd: Command, trained: Path) -> None:
    printed = retrograd("predict", "run", "houses.csv").out
    retrograd("predict", "run", "houses.csv", "--out", "p.csv")
    assert printed == (trained / "p.csv").read_text()
    assert '"' not in printed
    assert len(list(csv.reader(printed.splitlines()))) == 81


# Ctrl-C and the rest ------------------------------------------------------------------------------


def test_ctrl_c_while_scoring_says_what_is_kept(
    retrograd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    write_houses(tmp_path / "houses.csv")
    monkeypatch.setattr(session, "write_scores", press)
    result = retrograd("train", "houses.csv", "--target", "price", "--out", "a run", *QUICK)
    assert result.code == 130
    assert result.err == (
        "Interrupted while the run was scored. Its weights are kept in a run; `retrograd report "
        "'a run'` scores it and writes its report.\n"
    )
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert retrograd("report", "a run").code == 0


def test_ctrl_c_anywhere_else_is_said(
    retrograd: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs.Run, "evaluate", press)
    result = retrograd("evaluate", "run", "houses.csv")
    assert (result.code, result.err) == (130, "Interrupted.\n")


def test_the_time_limit_is_told(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    command = ("train", "houses.csv", "--target", "price", "--time-limit", 0, *QUICK)
    result = retrograd(*command, "--auto-fix", "--out", "run")
    assert result.code == 0, result.err
    assert "Left out for the time limit: the checks" in result.out
    assert "No remedy was tried. To try them: retrograd fix run" in result.out


def test_figures_say_which_rows_chose_the_epoch(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    train = ("train", "houses.csv", "--target", "price", *QUICK)
    assert "chose the epoch" in retrograd(*train, "--out", "a").out
    assert "chose the epoch" not in retrograd(*train, "--out", "b", "--test", 0.2).out


def test_evaluate_says_that_it_knows_the_rows(retrograd: Command, trained: Path) -> None:
    said = retrograd("evaluate", "run", "houses.csv").out
    assert "it was trained on 68 of the 80 rows and stopped by 12" in said
    write_houses(trained / "new.csv", seed=5)
    assert "knows this data" not in retrograd("evaluate", "run", "new.csv").out


def test_a_report_has_no_path_of_the_machine(retrograd: Command, trained: Path) -> None:
    page = trained / "run" / "report.html"
    shutil.copy(trained / "houses.csv", trained / "other.csv")
    train = ("train", trained / "other.csv", "--target", "price", "--valid", trained / "houses.csv")
    assert retrograd(*train, "--out", "run", "--force", *QUICK).code == 0
    text = page.read_text("utf-8")
    assert "other.csv" in text
    assert str(trained) not in text
    assert trained.name not in text
