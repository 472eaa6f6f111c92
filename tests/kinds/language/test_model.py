"""Language models look back only, compute what PyTorch does, learn a text, and continue it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from retrograd import nn
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.kind import DataSpec, Prepared
from retrograd.kinds.language.generation import continue_text
from retrograd.kinds.language.model import LanguageModel
from retrograd.kinds.language.options import LanguageOptions
from retrograd.kinds.registry import prepare
from retrograd.models.series.language import CausalTransformer, CharacterLSTM

SENTENCE = "the quick brown fox jumps over the lazy dog; "
SMALL: dict[str, Any] = {"width": 16, "depth": 1, "context": 12}

NETWORKS = {
    "transformer": lambda: CausalTransformer(11, width=16, depth=2, heads=2),
    "lstm": lambda: CharacterLSTM(11, width=16, depth=2),
}


def awakened(network: nn.Module, rng: np.random.Generator) -> nn.Module:
    """With random weights everywhere: some start at zero, and would hide what they do."""
    for parameter in network.parameters():
        parameter.data = rng.normal(0, 0.3, parameter.shape).astype(np.float32)
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_later_character_changes_nothing_before_it(name: str, rng: np.random.Generator) -> None:
    network = awakened(NETWORKS[name](), rng)
    text = rng.integers(0, 11, (2, 9))
    other = text.copy()
    other[:, 5] = (other[:, 5] + 1) % 11
    before, after = network(text).numpy(), network(other).numpy()
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (np.abs(before[:, 5:] - after[:, 5:]).max((0, 2)) > 1e-4).all()


def rotated(x: torch.Tensor) -> torch.Tensor:
    """Su et al. 2021, equation 34, with elements i and i + d/2 as a plane: as complex numbers."""
    length, size = x.shape[-2:]
    angles = torch.outer(torch.arange(length), 10000.0 ** (-torch.arange(0, size, 2) / size))
    turned = torch.complex(x[..., : size // 2], x[..., size // 2 :]) * torch.exp(1j * angles)
    return torch.cat([turned.real, turned.imag], -1)


def test_the_transformer_is_its_formula_in_torch(rng: np.random.Generator) -> None:
    network = awakened(NETWORKS["transformer"](), rng)
    w = {name: torch.tensor(np.array(value)) for name, value in network.state_dict().items()}
    text = rng.integers(0, 11, (3, 7))
    x = w["embedding.weight"][torch.tensor(text)]
    for i in range(2):
        p = {name: w[f"blocks.{i}.{name}.weight"] for name in ("norm1", "qkv", "out")}
        q, k, v = (F.rms_norm(x, (16,), p["norm1"]) @ p["qkv"].T).chunk(3, -1)
        q, k, v = (each.unflatten(-1, (2, 8)).transpose(1, 2) for each in (q, k, v))
        seen = F.scaled_dot_product_attention(rotated(q), rotated(k), v, is_causal=True)
        x = x + seen.transpose(1, 2).flatten(2) @ p["out"].T
        hidden = F.rms_norm(x, (16,), w[f"blocks.{i}.norm2.weight"]) @ w[f"blocks.{i}.up.weight"].T
        x = x + hidden.relu().square() @ w[f"blocks.{i}.down.weight"].T
    expected = F.linear(F.rms_norm(x, (16,), w["norm.weight"]), w["head.weight"], w["head.bias"])
    np.testing.assert_allclose(network(text).numpy(), expected.numpy(), rtol=2e-4, atol=2e-4)


def test_the_lstm_is_torchs(rng: np.random.Generator) -> None:
    network = awakened(NETWORKS["lstm"](), rng)
    state = {name: torch.tensor(np.array(value)) for name, value in network.state_dict().items()}
    lstm = torch.nn.LSTM(16, 16, 2, batch_first=True)
    lstm.load_state_dict({n[5:]: value for n, value in state.items() if n.startswith("lstm.")})
    text = rng.integers(0, 11, (3, 7))
    states, _ = lstm(state["embedding.weight"][torch.tensor(text)])
    expected = F.linear(states, state["head.weight"], state["head.bias"]).detach()
    np.testing.assert_allclose(network(text).numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def prepared(folder: Path, text: str = SENTENCE * 40, **options: Any) -> Prepared:
    path = folder / "text.txt"
    path.write_text(text, "utf-8")
    return prepare("language-model", DataSpec(str(path)), LanguageOptions(**{**SMALL, **options}))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    """Each model on a sentence that repeats, long enough to know it."""
    runs = {}
    for name in NETWORKS:
        run = prepared(
            tmp_path_factory.mktemp(name),
            model=name,
            width=32,
            epochs=40,
            batch_size=16,
            dropout=0.0,
            learning_rate=0.02,
            average=0.9,
        )
        run.fit()
        runs[name] = run
    return runs


@pytest.mark.parametrize("name", NETWORKS)
def test_a_repeated_sentence_is_learned_and_continued(
    name: str, learned: dict[str, Prepared]
) -> None:
    run = learned[name]
    scores = run.model.score(run.split.validation)
    assert scores.metrics["log_loss"] < 0.1 < scores.baseline["log_loss"]
    assert scores.metrics["accuracy"] > 0.97
    assert scores.rows == len(run.split.validation) - 1
    text = "".join(continue_text(run.model, SENTENCE, 90, temperature=0))
    assert text == SENTENCE * 2


@pytest.mark.parametrize("name", NETWORKS)
def test_generation_is_the_network_asked_again_and_again(
    name: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    model: LanguageModel = prepared(tmp_path, model=name).model
    awakened(model.network, rng)
    text = "fox"
    written = "".join(continue_text(model, text, 30, temperature=0))
    for _ in range(30):
        window = model.vocabulary.encode(text[-model.context :])
        code = model.network(window[None]).numpy()[0, -1].argmax()
        text += model.vocabulary.characters[code]
    assert "fox" + written == text


def test_characters_are_drawn_from_the_softmax(tmp_path: Path, rng: np.random.Generator) -> None:
    model: LanguageModel = prepared(tmp_path).model
    awakened(model.network, rng)
    # Of a network that gives the same logits always the draws are independent.
    logits = rng.normal(0, 1, len(model.vocabulary))
    model.network.head.weight.data = np.zeros_like(model.network.head.weight.data)
    model.network.head.bias.data = logits.astype(np.float32)
    for temperature, top_k in ((1.0, None), (0.5, None), (2.0, 3)):
        drawn = "".join(
            continue_text(model, "x", 4000, temperature=temperature, top_k=top_k, seed=5)
        )
        weights = np.exp(logits / temperature)
        if top_k is not None:
            weights[np.argsort(-logits)[top_k:]] = 0
        expected = 4000 * weights / weights.sum()
        counts = np.bincount(model.vocabulary.encode(drawn), minlength=len(logits))
        # Five standard deviations of a binomial count.
        slack = 5 * np.sqrt(expected * (1 - expected / 4000))
        assert (np.abs(counts - expected) <= slack).all()


def test_the_same_seed_gives_the_same_text(learned: dict[str, Prepared]) -> None:
    model = learned["lstm"].model
    texts = [
        "".join(continue_text(model, "the ", 60, temperature=3, seed=seed)) for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]
    assert {len(text) for text in texts} == {60}


def test_what_of_the_prompt_is_not_seen_is_said(learned: dict[str, Prepared]) -> None:
    notes: list[str] = []
    list(continue_text(learned["lstm"].model, "THE LAZY the lazy dog", 1, notes=notes))
    assert notes[0].startswith("7 characters of the prompt")
    assert "looks back over 12 characters, so it sees only the last of the prompt's 14" in notes[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompt": "ÄÖÜ"}, r"The prompt 'ÄÖÜ' has no character of .*' ', ';', 'a', 'b'"),
        ({"prompt": ""}, "has no character"),
        ({"length": -1}, "length is -1"),
        ({"temperature": -0.5}, "temperature -0.5"),
        ({"temperature": float("nan")}, "temperature nan"),
        ({"top_k": 0}, "top_k is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(
    arguments: Any, message: str, learned: dict[str, Prepared]
) -> None:
    given = {"prompt": "the", "length": 5, **arguments}
    with pytest.raises(UsageError, match=message):
        continue_text(learned["lstm"].model, **given)


def test_answers_are_the_probabilities_behind_the_score(learned: dict[str, Prepared]) -> None:
    run = learned["transformer"]
    data = run.split.validation
    answers, truth = run.model.predict(data), run.model.targets(data)
    assert answers.shape == (len(truth), len(run.model.vocabulary))
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)
    loss = -np.log(answers[np.arange(len(truth)), truth]).mean()
    assert run.model.score(data).metrics["log_loss"] == pytest.approx(loss, rel=1e-3)


def test_the_baseline_is_the_characters_shares(tmp_path: Path) -> None:
    run = prepared(tmp_path, "ab" * 100 + "a" * 100, valid=0.5)
    assert run.model.score(run.split.validation).baseline["accuracy"] == pytest.approx(124 / 149)
    assert run.model.shares.tolist() == [0.5, 0.5]


def test_the_end_of_the_text_is_held_out_and_not_learned_from(tmp_path: Path) -> None:
    start = SENTENCE * 20
    runs = [prepared(tmp_path, start + end * 100) for end in ("the end", "do", "zz9é")]
    for run, held in zip(runs, (70, 20, 40), strict=True):
        assert abs(len(run.split.validation) - (len(start) + held * 10) * 0.1) <= 1 or run.notes
    # Only characters of the training part are known; others are left out of the end, and said.
    run = prepared(tmp_path, start + "é9" * 20 + "the end", valid=0.05)
    assert "é" not in run.model.vocabulary.characters
    assert any("of the validation part" in note and "'é'" in note for note in run.notes)


def test_a_test_share_is_the_very_end(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("ab" * 400 + "ba" * 50 + "aa" * 50)
    config = LanguageOptions(**SMALL, valid=1 / 9)
    run = prepare("language-model", DataSpec(str(path), test=0.1), config)
    assert run.split.test.text == "aa" * 50
    assert run.split.validation.text == "ba" * 50
    assert run.model.vocabulary.decode(run.train.codes) == "ab" * 400


def test_other_texts_can_be_held_out(tmp_path: Path) -> None:
    for name, text in (("text", "ab" * 200), ("valid", "bab"), ("test", "abba!")):
        (tmp_path / f"{name}.txt").write_text(text)
    paths = [str(tmp_path / f"{name}.txt") for name in ("text", "valid", "test")]
    run = prepare("language-model", DataSpec(*paths), LanguageOptions(**SMALL))
    split = run.split
    texts = [each.text for each in (split.train, split.validation, split.test)]
    assert texts == ["ab" * 200, "bab", "abba!"]
    assert len(run.model.targets(split.test)) == 3  # four characters that are known
    assert any("of the test part" in note and "'!'" in note for note in run.notes)


def test_of_a_long_text_held_out_a_part_counts_and_it_is_said(tmp_path: Path) -> None:
    run = prepared(tmp_path, "ab" * 300_000, valid=0.5)
    assert len(run.split.validation) == 1 << 18
    assert any("Of the 300,000 validation characters, the first 262,144" in n for n in run.notes)


def test_a_text_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"text\.txt: 22 characters to train on and 2 held out"):
        prepared(tmp_path, "abc" * 8, context=12)


def test_a_saved_model_is_the_same_model(learned: dict[str, Prepared]) -> None:
    for run in learned.values():
        again = LanguageModel.from_json(run.model.to_json(), run.options.to_options())
        again.network.load_state_dict(run.model.network.state_dict())
        assert again.score(run.split.validation) == run.model.score(run.split.validation)
        options = run.options.to_options()
        assert LanguageOptions.from_json(options.to_json()) == options


def test_predict_says_that_a_text_is_continued_by_generate(
    learned: dict[str, Prepared],
) -> None:
    with pytest.raises(UsageError, match="retrograd generate"):
        learned["lstm"].model.predictions(learned["lstm"].split.validation, [])
