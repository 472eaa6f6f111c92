"""`retrograd fix`: a run's options are mended on a copy, and the run stays as it is."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pyarrow.csv
import pytest
from support.documented import COMMAND_PAGE, documented
from support.small_tables import houses

import retrograd as rg
from retrograd.cli import main
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.remedies.table import OPTION_REMEDIES
from retrograd.errors import UsageError
from retrograd.kinds.table.options import TableOptions
from retrograd.runs import Run
from retrograd.training.trainer import Trainer

TRIALS = next(line for line in COMMAND_PAGE.splitlines() if line.startswith("| `trials` |"))

SLOW: dict[str, Any] = {
    "width": 8,
    "depth": 1,
    "members": 2,
    "bins": 4,
    "epochs": 6,
    "learning_rate": 2e-5,
}


@pytest.fixture(scope="module")
def slow_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose learning rate is so low that it learned next to nothing."""
    place = tmp_path_factory.mktemp("fix")
    pyarrow.csv.write_csv(houses(300), place / "houses.csv")
    run = rg.train(place / "houses.csv", "price", test=0.2, out=place / "run", **SLOW)
    return rg.load(run.path)


def _contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["retrograd", *map(str, arguments)])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_the_options_that_help_are_written_beside_the_run(
    slow_run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = _contents(slow_run.path)
    found = [finding("RG203", "The weights hardly moved.")]
    monkeypatch.setattr(Run, "findings", lambda run: found)
    code = _command(monkeypatch, "fix", slow_run.path, "--seeds", 2, "--budget", 8, "--json")
    told = json.loads(capfd.readouterr().out)
    assert code == 0
    assert [*told] == documented("fix")
    assert [*told["trials"][0]] == re.findall(r"`(\w+)`", TRIALS)[1:]
    assert _contents(slow_run.path) == before
    trial, *_, random = told["trials"]
    assert trial["finding"] == "RG203"
    assert trial["helped"]
    assert trial["gain"] > trial["spread"]
    assert len(trial["before"]) == len(trial["after"]) == len(random["after"]) == 2
    changed = json.loads((slow_run.path / "fix" / "config.json").read_text())
    config = slow_run.options
    assert changed["learning_rate"] > config.learning_rate
    assert {**changed, "learning_rate": config.learning_rate} == config.to_json()
    data = slow_run.data_path
    again = slow_run.path.parent / "again"
    arguments = ["train", data, "--config", told["config"], "--out", again, "--quiet"]
    assert _command(monkeypatch, *arguments) == 0
    assert rg.load(again).options.learning_rate == changed["learning_rate"]


def _press_ctrl_c_in_epoch(monkeypatch: pytest.MonkeyPatch, which: int) -> list[int]:
    """Ctrl-C at the end of the `which`th epoch from now on; the epochs that ended, to count."""
    ended: list[int] = []
    end_epoch = Trainer._end_epoch

    def pressed(self: Trainer, *arguments: Any) -> None:
        end_epoch(self, *arguments)
        ended.append(len(self.history.epochs))
        if len(ended) == which:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "_end_epoch", pressed)
    return ended


@pytest.mark.parametrize(("epoch", "trials"), [(3, None), (33, ["RG203"])])
def test_ctrl_c_ends_a_fix_and_leaves_whole_trials_alone(
    slow_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    epoch: int,
    trials: list[str] | None,
) -> None:
    """Two seeds, the run as it is and two ways: 12 and 18 epochs, then a random change."""
    copy = tmp_path / "run"
    shutil.copytree(slow_run.path, copy, ignore=shutil.ignore_patterns("fix"))
    found = [finding("RG203", "The weights hardly moved.")]
    monkeypatch.setattr(Run, "findings", lambda run: found)
    before = _contents(copy)
    ended = _press_ctrl_c_in_epoch(monkeypatch, epoch)
    code = _command(monkeypatch, "fix", copy, "--seeds", 2, "--budget", 8, "--json")
    told = json.loads(capfd.readouterr().out)
    assert code == 130
    assert len(ended) == epoch
    assert _contents(copy) == before
    assert told["interrupted"]
    assert [each["finding"] for each in told["trials"]] == (trials or [])
    assert (copy / "fix").exists() == (trials is not None)


def test_ctrl_c_in_the_training_itself_keeps_auto_fix_from_starting(
    slow_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ended = _press_ctrl_c_in_epoch(monkeypatch, 2)
    data, config = slow_run.data_path, slow_run.path / "config.json"
    arguments = ["train", data, "--config", config, "--out", tmp_path / "run", "--auto-fix"]
    assert _command(monkeypatch, *arguments) == 130
    assert len(ended) == 2
    assert "No remedy was tried. To try them: retrograd fix" in capfd.readouterr().out
    assert rg.load(tmp_path / "run").history.verdict == "interrupted"


def test_what_a_run_has_no_option_for_is_told(slow_run: Run) -> None:
    found = slow_run.fix([finding("RG305", "One column gives it away.")], seeds=(0, 1))
    assert found.trials == []
    assert found.kept == []
    assert [f.code for f, _ in found.by_hand] == ["RG305"]


def test_what_only_the_library_itself_could_change_is_not_offered(slow_run: Run) -> None:
    """The network and its loss are Retrograd's own; the labels are the user's."""
    codes = ("RG409", "RG212", "RG109", "RG602", "RG303")
    found = slow_run.fix(
        [finding(code, "as it was seen") for code in codes], seeds=(0, 1), budget=2
    )
    assert [f.code for f, _ in found.by_hand] == ["RG303"]


def test_two_epochs_are_known_to_be_too_few(tmp_path: Path) -> None:
    """Nothing else may take the credit for what they lack."""
    pyarrow.csv.write_csv(houses(300), tmp_path / "houses.csv")
    options = {**SLOW, "epochs": 2, "learning_rate": 0.004}
    run = rg.train(tmp_path / "houses.csv", "price", out=tmp_path / "run", **options)
    found = run.fix([finding("RG503", "It does badly.")], seeds=(0, 1), budget=9)
    assert [trial.finding and trial.finding.code for trial in found.trials][:1] == ["RG216"]
    assert found.subject.epochs > 2


def test_nothing_wrong_is_nothing_to_mend(
    slow_run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Run, "findings", lambda run: [])
    assert _command(monkeypatch, "fix", slow_run.path) == 0
    assert "Found nothing to fix." in capfd.readouterr().out


def test_data_that_has_changed_is_refused(slow_run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(slow_run.path, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["data"]["sha256"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Exception, match="is gone or has changed"):
        rg.load(copy).fix([finding("RG203", "x")], seeds=(0, 1))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("lower_learning_rate", [("learning_rate", 0.0012), ("learning_rate", 0.0004)]),
        ("raise_learning_rate", [("learning_rate", 0.012), ("learning_rate", 0.04)]),
        ("larger_batch", [("batch_size", 128)]),
        ("smaller_batch", [("batch_size", 8)]),
        ("raise_dropout", [("dropout", 0.1), ("dropout", 0.3)]),
        ("lower_dropout", []),
        ("early_stopping", [("patience", 4)]),
        ("add_weight_decay", [("weight_decay", 0.1)]),
        ("lower_weight_decay", [("weight_decay", 0.0)]),
        ("raise_clip", [("clip_norm", 10.0), ("clip_norm", 100.0)]),
        ("larger_model", [("width", 256)]),
        ("fewer_epochs", [("epochs", 20), ("epochs", 10)]),
        ("initialize", []),  # what a run does by itself is no option
        ("by_hand", []),
    ],
)
def test_each_remedy_changes_its_option(change: str, expected: list[tuple[str, Any]]) -> None:
    config = TableOptions(target="price", batch_size=32, epochs=40, patience=15)
    ways = OPTION_REMEDIES.variants(change, config)
    assert [config.replaced(**dict([pair])) for pair in expected] == [c for _, c in ways]
    for words, changed in ways:
        name, value = next((n, v) for n, v in changed.to_json().items() if v != config.to_json()[n])
        assert words == f"{name} {getattr(config, name):g} -> {value:g}"


@pytest.mark.parametrize(
    ("rate", "lower"),
    [(100.0, [30, 10, 0.004]), (0.1, [0.03, 0.01, 0.004]), (0.08, [0.024, 0.008])],
)
def test_a_learning_rate_far_too_high_may_also_become_the_usual_one(
    rate: float, lower: list[float]
) -> None:
    config = TableOptions(target="price", learning_rate=rate)
    ways = OPTION_REMEDIES.variants("lower_learning_rate", config)
    assert [changed.learning_rate for _, changed in ways] == lower


def test_a_run_that_diverges_is_mended(tmp_path: Path) -> None:
    pyarrow.csv.write_csv(houses(300), tmp_path / "houses.csv")
    options = {**SLOW, "epochs": 12, "learning_rate": 100.0}
    run = rg.train(tmp_path / "houses.csv", "price", out=tmp_path / "run", **options)
    diverges = [finding(code, "as it was seen") for code in ("RG201", "RG206")]
    found = run.fix(diverges, seeds=(0, 1), budget=10)
    assert found.kept[0].before == (-1, -1)
    assert min(found.scores) > 0
    assert found.subject.learning_rate < 0.1


def test_a_random_change_is_another_one() -> None:
    config = TableOptions(target="price", batch_size=32, epochs=40, patience=15)
    drawn = {OPTION_REMEDIES.random(config, "raise_clip", seed)[0][0] for seed in range(12)}
    assert len(drawn) > 4
    assert not any(words.startswith("clip_norm 1 -> 10") for words in drawn)


def test_a_run_without_a_record_is_told_so(slow_run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    left_out = shutil.ignore_patterns("record", "findings.json")
    shutil.copytree(slow_run.path, copy, ignore=left_out)
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"]["findings.json"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="no record of its training"):
        rg.load(copy).fix(seeds=(0, 1))
