"""From a table with text, or a folder of texts, to a trained model that is saved and used."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from retrograd.cli.app import main
from retrograd.data import write_table
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.importance import RunningText
from retrograd.kinds.base.kind import DataSpec, Prepared
from retrograd.kinds.registry import prepare
from retrograd.kinds.table.options import TableOptions
from retrograd.kinds.text.model import TextModel
from retrograd.kinds.text.options import TextOptions
from retrograd.models.texts.branches import BagBesideTable, BranchesBesideTable, TextBranches
from retrograd.store import RunFolder, load_model

GOOD = ["lovely", "moving", "funny", "clever"]
BAD = ["dull", "lifeless", "clumsy", "tired"]
FILLERS = [
    "a film about the sea",
    "with two actors of note",
    "shot in one long week",
    "by a friend",
]


def reviews(rows: int = 160, seed: int = 0) -> pa.Table:
    """Texts that are good or bad by one word; a number and a category that say nothing of it."""
    rng = np.random.default_rng(seed)
    is_good = rng.integers(0, 2, rows)
    texts = []
    for good in is_good:
        first, second = rng.choice(FILLERS, 2)
        word = rng.choice(GOOD if good else BAD)
        texts.append(f"{first} , {word} , {second} number {rng.integers(1000)}")
    return pa.table(
        {
            "review": texts,
            "length": rng.uniform(60, 180, rows),
            "country": rng.choice(["fr", "us"], rows).tolist(),
            "verdict": np.array(["bad", "good"])[is_good].tolist(),
        }
    )


QUICK: dict[str, Any] = {"width": 8, "depth": 1, "members": 2, "seed": 1}


def prepare_table(table: pa.Table, options: TableOptions) -> Prepared[Any]:
    return prepare("table", DataSpec(table), options)


def trained(table: pa.Table, target: str = "verdict", **options: Any) -> Any:
    run = prepare_table(table, TableOptions(target=target, **{**QUICK, **options}))
    run.fit()
    return run


@pytest.fixture(scope="module")
def bag() -> Any:
    return trained(reviews().select(["review", "verdict"]))


def test_no_texts_give_no_predictions(bag: Any) -> None:
    none = bag.model.read(reviews().slice(0, 0), [], labeled=False)
    table = bag.model.predictions(none, []).to_native()
    assert table.num_rows == 0
    assert table.column_names[-1] == "prediction"


def test_a_bag_learns_which_words_decide(bag: Any) -> None:
    assert isinstance(bag.model, TextModel)
    assert bag.options.model == "bag"
    assert "picked because" in bag.introduction
    new = bag.model.read(reviews(seed=5), [], labeled=True)
    assert bag.model.score(new).metrics["accuracy"] == 1.0


def test_the_words_that_decide_are_named(bag: Any) -> None:
    table = pa.table({"review": ["By a friend, Lovely , with sea", "tired", ""]})
    data = bag.model.read(table, [], labeled=False)
    lovely, tired, empty = bag.model.reasons(data, np.array([0, 1, 2]))
    words = ["By ", "a ", "friend", ", ", "Lovely ", ", ", "with ", "sea"]  # the text, whole
    assert [word for word, _ in lovely] == words
    assert max(lovely, key=lambda each: each[1])[0] == "Lovely "
    assert [word for word, _ in tired] == ["tired"]
    assert tired[0][1] > 0.2
    assert empty == ()
    assert all(isinstance(each, RunningText) for each in (lovely, tired, empty))
    long = pa.table({"review": ["so " * 70]})
    (cut,) = bag.model.reasons(bag.model.read(long, [], labeled=False), np.array([0]))
    assert len(cut) == 60
    assert cut[-1][0] == "so…"
    both = pa.table({"review": ["By a friend, Lovely , with sea", "By a friend,  , with sea"]})
    with_it, without = bag.model.predict(bag.model.read(both, [], labeled=False))[:, 1]
    assert dict(lovely)["Lovely "] == pytest.approx(with_it - without, abs=1e-5)


def test_answers_stand_in_the_order_of_the_rows(bag: Any) -> None:
    # Enough for several buckets.
    data = bag.model.read(reviews(1100, seed=3), [], labeled=False)
    answers = bag.model.predict(data)
    some = np.array([1099, 3, 500])
    np.testing.assert_allclose(bag.model.predict(data.take(some)), answers[some], atol=1e-6)


def test_cut_and_missing_texts_are_said() -> None:
    run = prepare_table(
        reviews().select(["review", "verdict"]), TableOptions(target="verdict", max_tokens=12)
    )
    assert any(
        "rows have a text of more than 12 tokens, which is cut" in note for note in run.notes
    )
    assert "up to 12 tokens of a text" in run.introduction
    notes: list[str] = []
    data = run.model.read(pa.table({"review": ["so lovely", None]}), notes, labeled=False)
    assert np.isfinite(run.model.predict(data, notes)).all()
    assert notes == [
        "Column 'review': 1 row without a text (row 2); predicted from the other columns."
    ]


def test_long_texts_are_read_whole_by_a_bag() -> None:
    rng = np.random.default_rng(6)
    is_good = rng.integers(0, 2, 120)
    filler = " ".join(f"word{place}" for place in range(1500))
    texts = [
        f"{filler} {place} {'lovely' if good else 'dull'}" for place, good in enumerate(is_good)
    ]
    run = prepare_table(pa.table({"review": texts, "good": is_good}), TableOptions(target="good"))
    assert not any("which is cut" in note for note in run.notes)
    assert "up to 131,072 tokens of a text" in run.introduction
    assert run.options.to_options().max_tokens == 131_072
    assert {"lovely", "dull"} < set(run.model.encoders[0].ngrams)
    assert run.train.sequences[0].lengths.min() > 3000  # words and pairs of them


def test_rows_without_a_text_do_not_train() -> None:
    table = reviews(200).select(["review", "verdict"])
    texts, verdicts = table["review"].to_pylist(), table["verdict"].to_pylist()
    texts[11] = texts[150] = ""
    verdicts[3] = None  # rows are counted as the file counts them all the same
    run = prepare_table(
        pa.table({"review": texts, "verdict": verdicts}), TableOptions(target="verdict")
    )
    assert len(run.train) + len(run.validation) == 197
    left_out = "2 rows of 199 without a text in 'review' are left out (row 12, 151)."
    assert left_out in run.notes
    texts[:20] = [""] * 20
    with pytest.raises(DataError, match=r"without a text in 'review' \(row 1, 2, 3, 4, 5 and 16"):
        prepare_table(table.set_column(0, "review", [texts]), TableOptions(target="verdict"))


def test_a_folders_texts_are_texts_however_short(tmp_path: Path) -> None:
    for place in range(80):
        path = tmp_path / f"{GOOD[0] if place % 2 else BAD[0]}" / f"the file of a text {place}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{path.parent.name} {place}")
    run = prepare("text", DataSpec(tmp_path), TextOptions())
    assert [column.name for column in run.model.schema.texts] == ["text"]


def test_beside_other_columns_a_text_may_be_missing() -> None:
    table = reviews(100)
    texts = [None] * 30 + table["review"].to_pylist()[30:]
    run = prepare_table(table.set_column(0, "review", [texts]), TableOptions(target="verdict"))
    assert len(run.train) + len(run.validation) == 100


CASES: dict[str, tuple[list[str], dict[str, Any], type]] = {
    "a bag beside a table": (["review", "length", "country"], {}, BagBesideTable),
    "a cnn beside a table": (
        ["review", "length", "country"],
        {"model": "cnn"},
        BranchesBesideTable,
    ),
    "two texts": (["review", "other"], {"model": "cnn", "tokens": "bpe"}, TextBranches),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_is_saved_and_loaded_with_its_vocabulary(case: str, tmp_path: Path) -> None:
    columns, options, network = CASES[case]
    table = (
        reviews().append_column("other", reviews(seed=9)["review"]).select([*columns, "verdict"])
    )
    write_table(table, tmp_path / "data.csv")
    settings = [f"--set={name}={value}" for name, value in {**QUICK, **options}.items()]
    out = str(tmp_path / "run")
    train = ["train", str(tmp_path / "data.csv"), "--target", "verdict", "--epochs", "1"]
    assert _code([*train, "--out", out, "--quiet", *settings]) == 0
    model = load_model(RunFolder.open(Path(out)))
    assert isinstance(model, TextModel)
    assert isinstance(model.network, network)
    saved = json.loads((tmp_path / "run" / "preprocessing.json").read_text())
    is_bpe = options.get("tokens") == "bpe"
    assert bool(saved["texts"][0].get("pieces")) == is_bpe
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    held = prepare_table(
        table, TableOptions(target="verdict", epochs=1, **QUICK, **options)
    ).split.validation
    (score,) = scores.values()
    assert model.score(held).metrics == pytest.approx(score["metrics"], rel=1e-4)


def test_a_regression_on_texts_learns() -> None:
    table = reviews(300)
    stars = [8.0 if each == "good" else 2.0 for each in table["verdict"].to_pylist()]
    noise = np.random.default_rng(2).normal(0, 0.1, 300)
    table = pa.table({"review": table["review"], "stars": np.array(stars) + noise})
    model = trained(table, "stars").model
    assert model.score(model.read(table, [], labeled=True)).metrics["r2"] > 0.8


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_other_models_run_by_name(name: str) -> None:
    table = reviews().select(["review", "verdict"])
    run = trained(table, model=name, epochs=1, tokens="characters", max_tokens=24)
    assert run.options.model == name
    assert np.isfinite(run.trainer.history.epochs[0].validation_loss)


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"Unknown model 'bagg' for text. Did you mean bag\?.*cnn"):
        prepare_table(reviews(), TableOptions(target="verdict", model="bagg"))
    table = reviews().drop_columns(["review"])
    with pytest.raises(UsageError, match="Unknown model 'cnn' for table"):
        prepare_table(table, TableOptions(target="verdict", model="cnn"))


def test_a_damaged_vocabulary_is_refused(bag: Any) -> None:
    saved = bag.model.to_json()
    del saved["texts"][0]["ngrams"]
    with pytest.raises(DataError, match="saved vocabulary of the texts is damaged"):
        TextModel.from_json(saved, bag.options.to_options())


def test_a_folder_of_texts_trains_and_predicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part, seed, rows in (("train", 0, 120), ("val", 1, 40), ("test", 2, 40)):
        for place, row in enumerate(reviews(rows, seed).to_pylist()):
            folder = tmp_path / "films" / part / row["verdict"]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{place}.txt").write_text(row["review"])
    films, out = tmp_path / "films", tmp_path / "run"
    assert _code(["train", str(films), "--out", str(out), "--epochs", "2"]) == 0
    assert "120 rows, stopping by 40 others" in " ".join(capsys.readouterr().out.split())
    scores = json.loads((out / "scores.json").read_text())
    assert scores["test"]["rows"] == 40
    answers = tmp_path / "answers.csv"
    assert _code(["predict", str(out), str(films / "test"), "--out", str(answers)]) == 0
    lines = answers.read_text().splitlines()
    assert lines[0] == "path,text,label,probability_bad,probability_good,prediction"
    assert len(lines) == 41
    assert _code(["explain", str(out), str(films / "test")]) == 2
    assert "run of the kind 'text'" in capsys.readouterr().err


def _code(arguments: list[str]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["retrograd", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)
