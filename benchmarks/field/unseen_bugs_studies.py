"""Programs that DeepCrime mutates and that UMLAUT's authors gave to people to repair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import hits
from collection import faulty
from data import digits, made_sounds, split
from training import Training

import retrograd as rg
from retrograd import nn, optim


@faulty(
    "deepcrime-speakers-slow-learning-rate",
    source="https://github.com/dlfaults/deepcrime/blob/master/test_models/audio_model_mod_train.py",
    shape="sequence",
    faults=("the learning rate is cut from 0.001 to 0.00001",),
    right=("RG203", "RG204"),
)
def deepcrime_speakers_slow_learning_rate() -> tuple[Training, Training]:
    """Keras' speaker recognition: residual convolutions over the spectrum of a sound, Adam."""
    sound, speaker = made_sounds(700)
    spectrum = np.abs(np.fft.fft(sound[:, 0]))[:, None, :256].astype(np.float32)
    train, test = split(spectrum, speaker)

    class Block(nn.Module):
        def __init__(self, n_in, n_out):
            super().__init__()
            self.short = nn.Conv1d(n_in, n_out, 1)
            self.long = nn.Sequential(
                *(nn.Conv1d(n_in, n_out, 3, padding=1), nn.ReLU()),
                nn.Conv1d(n_out, n_out, 3, padding=1),
            )

        def forward(self, x):
            return nn.functional.max_pool1d(rg.relu(self.long(x) + self.short(x)), 2)

    fixed = Training(
        model=lambda: nn.Sequential(
            *(Block(1, 8), Block(8, 12), Block(12, 16), nn.AvgPool1d(4), nn.Flatten()),
            *(nn.Linear(128, 48), nn.ReLU(), nn.Linear(48, 5)),
        ),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.85,
        epochs=12,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, optimizer=lambda parameters: optim.Adam(parameters, 1e-5)), fixed


@faulty(
    "umlaut-pilot-probabilities-expected-uphill",
    source="https://github.com/BerkeleyHCI/umlaut/blob/master/pilot_boilerplate_2.py",
    shape="classes",
    faults=(
        "the loss takes probabilities but gets logits",
        "a negative learning rate, which climbs",
        "steps of 100000",
    ),
    right=("RG402", "RG407", "RG201"),
)
def umlaut_pilot_probabilities_expected_uphill() -> tuple[Training, Training]:
    """Keras' cross-entropy of clipped probabilities; SGD at -100000: uphill in leaps."""
    train, test = digits()

    def start(*last):
        return nn.Sequential(
            *(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()),
            *(nn.Linear(128, 10), *last),
        )

    def of_probabilities(output, target):
        return nn.cross_entropy(rg.log(rg.clip(output, 1e-7, 1 - 1e-7)), target)

    fixed = Training(
        model=lambda: start(nn.Softmax(-1)),
        train=train,
        loss=of_probabilities,
        optimizer=lambda parameters: optim.SGD(parameters, 0.1),
        score=hits(test),
        well=0.9,
        epochs=30,
        batch_size=64,
        valid=test,
    )
    wrong = replace(
        fixed,
        model=start,
        loss=lambda output, target: -of_probabilities(output, target),
        optimizer=lambda parameters: optim.SGD(parameters, 1e5),
    )
    return wrong, fixed
