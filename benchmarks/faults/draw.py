"""Which cases are only for measuring: drawn before a program was written or a check was run.

    python benchmarks/faults/draw.py      prints the two halves

Of each kind of fault half of the cases, drawn with the seed below, is kept for measuring; the other
half is for tuning thresholds. Drawn on 2026-11-25; the last two kinds were added that day, before
any check had been run on them. A case is named data/model/fault; its program is in the half's own
files, `tune_*.py` or `measure_*.py`, and who tunes a check leaves the latter closed.
"""

from __future__ import annotations

import random

SEED = 5

# The kinds of fault, over the published lists: DeepLocalize's and DeepFD's kinds, TheDeepChecker's
# 21 checks, the DeepCrime mutation operators, AutoTrainer's five problems and SageMaker Debugger's
# built-in rules.
KINDS: dict[str, tuple[str, ...]] = {
    "vanishing gradients": (
        "digits/mlp/eight-sigmoid-layers",
        "letters/mlp/six-sigmoid-layers",
        "wine/mlp/tanh-layers-of-small-weights",
        "digit-rows/rnn/recurrent-weights-near-zero",
    ),
    "exploding gradients": (
        "digit-rows/rnn/recurrent-weights-too-large",
        "temperatures/rnn/recurrent-weights-too-large",
        "california/mlp/deep-with-large-weights",
        "letters/mlp/deep-with-large-weights",
    ),
    "dead units": ("digits/cnn/biases-far-below-zero", "california/mlp/biases-far-below-zero"),
    "saturated activations": ("letters/mlp/tanh-of-large-sums", "mnist1d/cnn/tanh-of-large-sums"),
    "zero initialization": ("penguins/mlp/all-weights-zero", "digits/cnn/all-weights-zero"),
    "constant initialization": (
        "abalone/mlp/all-weights-alike",
        "digit-rows/rnn/all-weights-alike",
    ),
    "learning rate too high": (
        "abalone/mlp/sgd-rate-too-high",
        "mnist/cnn/sgd-rate-too-high",
        "letters/mlp/adam-rate-too-high",
        "digit-rows/gru/adam-rate-too-high",
    ),
    "learning rate too low": (
        "california/mlp/adam-rate-too-low",
        "digits/mlp/sgd-rate-too-low",
        "mnist/cnn/adam-rate-too-low",
        "digit-rows/gru/adam-rate-too-low",
    ),
    "parameter not in the optimizer": (
        "digits/mlp/optimizer-has-the-last-layer",
        "mnist1d/cnn/optimizer-has-the-last-layer",
    ),
    "parameter without a gradient": (
        "california/mlp/hidden-layers-detached",
        "digits/cnn/convolutions-detached",
    ),
    "gradients never cleared": (
        "digits/mlp/no-zero-grad",
        "temperatures/rnn/no-zero-grad",
    ),
    "overfitting": (
        "german/mlp/large-network-few-rows",
        "mnist/cnn/large-network-few-rows",
        "abalone/mlp/large-network-few-rows",
        "titanic/mlp/large-network-few-rows",
    ),
    "underfitting": ("letters/mlp/two-hidden-units", "mnist1d/cnn/one-channel"),
    "labels that say nothing": ("digits/mlp/shuffled-labels", "california/mlp/shuffled-target"),
    "unscaled inputs": (
        "penguins/mlp/raw-inputs",
        "california/mlp/raw-inputs",
        "sacramento/mlp/raw-inputs",
        "wine/mlp/raw-inputs",
    ),
    "unscaled target": ("sacramento/mlp/dollars", "diamonds/mlp/dollars"),
    "constant or duplicated inputs": (
        "abalone/mlp/constant-columns",
        "titanic/mlp/duplicated-columns",
    ),
    "target among the inputs": ("titanic/mlp/alive-column", "california/mlp/price-in-euros"),
    "class imbalance ignored": ("adult/mlp/one-in-forty", "wine/mlp/one-in-fifty"),
    "contradictory labels": ("penguins/mlp/copies-with-other-labels", "digits/mlp/second-opinions"),
    "wrong loss": ("letters/mlp/squared-error-of-codes", "abalone/mlp/cross-entropy-of-numbers"),
    "doubled softmax": ("digits/mlp/softmax-twice", "mnist1d/cnn/softmax-twice"),
    "missing softmax": ("letters/mlp/likelihood-of-scores", "mnist/cnn/likelihood-of-scores"),
    "doubled sigmoid": ("titanic/mlp/sigmoid-twice", "wine/mlp/sigmoid-twice"),
    "outputs out of reach": ("abalone/mlp/relu-output", "temperatures/rnn/tanh-output"),
    "broadcast by mistake": (
        "california/mlp/column-against-row",
        "diamonds/mlp/column-against-row",
    ),
    "trained in evaluation mode": (
        "digits/cnn/eval-before-training",
        "letters/mlp/eval-after-first-epoch",
    ),
    "evaluated in training mode": (
        "digits/mlp/no-eval",
        "mnist/cnn/no-eval",
    ),
    "unshuffled data": ("digits/mlp/sorted-by-class", "letters/mlp/sorted-by-class"),
    "too much dropout": ("digits/mlp/dropout-95", "mnist/cnn/dropout-95"),
    "too much weight decay": ("california/mlp/decay-too-strong", "digits/cnn/decay-too-strong"),
    "batch too small": ("abalone/mlp/batch-of-one", "letters/mlp/batch-of-two"),
    "batch too large": ("digits/mlp/one-batch-an-epoch", "california/mlp/one-batch-an-epoch"),
    "stale batch statistics": ("digits/mlp/momentum-too-low", "mnist/cnn/momentum-too-low"),
    "not a number in the data": ("titanic/mlp/missing-ages", "abalone/mlp/an-infinite-weight"),
    "not a number in the loss": ("digits/mlp/logarithm-of-zero", "diamonds/mlp/root-at-zero"),
    "clipped too hard": ("digits/mlp/clip-norm-too-low", "california/mlp/clip-norm-too-low"),
    "too few epochs": ("letters/mlp/one-epoch", "digit-rows/gru/one-epoch"),
    "missing activations": ("mnist1d/cnn/no-activations", "letters/mlp/no-activations"),
}


def halves() -> dict[str, dict[str, str]]:
    """`tune` and `measure`: in each the cases by name, with their kind."""
    drawing = random.Random(SEED)
    drawn: dict[str, dict[str, str]] = {"tune": {}, "measure": {}}
    for kind, cases in KINDS.items():
        kept = drawing.sample(cases, len(cases) // 2)
        for case in cases:
            drawn["measure" if case in kept else "tune"][case] = kind
    return drawn


if __name__ == "__main__":
    for half, cases in halves().items():
        print(f"{half}: {len(cases)} cases")
        print("\n".join(f"  {kind:32} {case}" for case, kind in cases.items()))
