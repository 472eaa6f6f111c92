"""Outputs that do not fit their loss: bugs reported and mended in public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import fit_of
from collection import faulty
from data import made_sounds, mnist_images, sentences, split
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init


def hits(rows):
    """The share of right classes; the target holds class numbers or one-hot rows."""
    x, y = rows
    classes = y if y.ndim == 1 else y.argmax(1)
    return lambda predict: (predict(x).argmax(-1) == classes).mean()


@faulty(
    "activity-recognition-softmax-in-forward",
    source="https://github.com/jindongwang/Deep-learning-activity-recognition/issues/10",
    shape="sequence",
    faults=("the forward pass ends in a softmax and the loss applies one again",),
    right=("RG403",),
)
def activity_recognition_softmax_in_forward() -> tuple[Training, Training]:
    """Six activities from nine sensor channels by convolutions along time, SGD with momentum."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 6, 900)
    time = np.arange(64)
    pace = np.array([0.03, 0.05, 0.08, 0, 0, 0])[label, None, None]
    lean = rng.normal(0, 0.5, (6, 9))[label][:, :, None]
    phase = rng.uniform(0, 2 * np.pi, (900, 9, 1))
    x = np.sin(2 * np.pi * pace * time + phase) * (pace > 0) + lean
    x = (x + rng.normal(0, 0.8, x.shape)).astype(np.float32)
    train, test = split(x, label)

    def start(*last):
        return nn.Sequential(
            *(nn.Conv1d(9, 16, 9), nn.ReLU(), nn.MaxPool1d(2)),
            *(nn.Conv1d(16, 24, 9), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten()),
            *(nn.Linear(240, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 6)),
            *last,
        )

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, 0.01, momentum=0.9),
        score=hits(test),
        well=0.85,
        epochs=12,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, model=lambda: start(nn.Softmax(-1))), fixed


@faulty(
    "tensorflow-cookbook-spam-softmax-twice",
    source="https://github.com/nfmcclure/tensorflow_cookbook/issues/86",
    shape="sequence",
    faults=("the logits of the recurrent network are a softmax already",),
    right=("RG403",),
)
def tensorflow_cookbook_spam_softmax_twice() -> tuple[Training, Training]:
    """Spam among text messages by a plain recurrent network with dropout, RMSprop at 0.0005."""
    train, test = sentences("sms_spam", 1600, 800, 16)

    class Recurrent(nn.Module):
        def __init__(self, *last):
            super().__init__()
            self.words, self.rnn = nn.Embedding(800, 24), nn.RNN(24, 16, batch_first=True)
            init.uniform_(self.words.weight, -1, 1)
            self.last = nn.Sequential(nn.Dropout(0.5), nn.Linear(16, 2), *last)

        def forward(self, x):
            return self.last(self.rnn(self.words(x))[0][:, -1])

    def balanced(predict):
        guess = predict(test[0]).argmax(1)
        return np.mean([(guess[test[1] == kind] == kind).mean() for kind in (0, 1)])

    fixed = Training(
        model=Recurrent,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.RMSprop(parameters, 0.0005),
        score=balanced,
        well=0.75,
        epochs=14,
        batch_size=20,
        valid=test,
    )
    return replace(fixed, model=lambda: Recurrent(nn.Softmax(-1))), fixed


@faulty(
    "minutes-two-softmax-layers",
    source="https://github.com/ubclaunchpad/minutes/issues/133",
    shape="classes",
    faults=("the layer before the last has a softmax as its activation",),
    right=("RG403", "RG104"),
)
def minutes_two_softmax_layers() -> tuple[Training, Training]:
    """Speakers from spectra by Keras' layers: softmax on the last and on the one before."""
    (sound, speaker) = made_sounds(800)
    spectrum = np.log1p(np.abs(np.fft.rfft(sound[:, 0]))[:, :192].reshape(-1, 48, 4).mean(2))
    spectrum = ((spectrum - spectrum.mean()) / spectrum.std()).astype(np.float32)
    train, test = split(spectrum, speaker)

    def start(activation):
        return nn.Sequential(
            *(nn.Linear(48, 64), nn.ReLU(), nn.Dropout(0.2)),
            *(nn.Linear(64, 32), activation, nn.Linear(32, 5), nn.Softmax(-1)),
        )

    def of_probabilities(output, target):
        chosen = (output * nn.functional.one_hot(target, 5)).sum(-1)
        return -rg.log(rg.clip(chosen, 1e-7, 1.0)).mean()

    fixed = Training(
        model=lambda: start(nn.ReLU()),
        train=train,
        loss=of_probabilities,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.85,
        epochs=20,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, model=lambda: start(nn.Softmax(-1))), fixed


@faulty(
    "conv-autoencoder-relu-on-standardized",
    source="https://github.com/mikesj-public/convolutional_autoencoder/pull/9",
    shape="autoencoder",
    faults=("images are standardized and the decoder ends in a ReLU, which is never negative",),
    right=("RG404",),
)
def conv_autoencoder_relu_on_standardized() -> tuple[Training, Training]:
    """A convolutional autoencoder of MNIST to the images less their mean, mean squared error."""
    (x, _), (test_x, _) = mnist_images(1500, 14)
    middle, spread = x.mean(), x.std()
    x, test_x = (x - middle) / spread, (test_x - middle) / spread

    def start(*last):
        return nn.Sequential(
            *(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(392, 48), nn.ReLU(), nn.Linear(48, 392), nn.ReLU(), nn.Linear(392, 196)),
            *last,
        )

    def loss(output, target):
        return ((output - target.reshape(len(target), -1)) ** 2).mean()

    def score(predict):
        flat = test_x.reshape(len(test_x), -1)
        return 1 - np.square(predict(test_x) - flat).mean() / flat.var()

    fixed = Training(
        model=start,
        train=(x, x),
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, 0.002),
        score=score,
        well=0.8,
        epochs=15,
        batch_size=64,
        valid=(test_x, test_x),
    )
    return replace(fixed, model=lambda: start(nn.ReLU())), fixed


@faulty(
    "keras-3687-recurrent-relu-all-zero",
    source="https://github.com/keras-team/keras/issues/3687",
    shape="sequence",
    faults=(
        "the output layer is a ReLU",
        "recurrent ReLU layers",
        "momentum of 0.99 at a learning rate of 0.01",
    ),
    right=("RG404", "RG103", "RG201", "RG202"),
)
def keras_3687_recurrent_relu_all_zero() -> tuple[Training, Training]:
    """A number at each time step from two recurrent ReLU layers and a ReLU output, SGD."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 30, 6)).astype(np.float32)
    y = np.zeros((500, 30, 1), np.float32)
    for t in range(1, 30):
        y[:, t, 0] = 0.7 * y[:, t - 1, 0] + 0.5 * x[:, t, 0] - 0.4 * x[:, t - 1, 1]
    train, test = (x[:400], y[:400]), (x[400:], y[400:])

    class Labeler(nn.Module):
        def __init__(self, activation, *last):
            super().__init__()
            self.first = nn.RNN(6, 48, nonlinearity=activation, batch_first=True)
            self.second = nn.RNN(48, 24, nonlinearity=activation, batch_first=True)
            self.last = nn.Sequential(nn.Linear(24, 1), *last)

        def forward(self, x):
            return self.last(self.second(self.first(x)[0])[0])

    fixed = Training(
        model=lambda: Labeler("tanh"),
        train=train,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.SGD(parameters, 0.05, momentum=0.9, nesterov=True),
        score=fit_of(test),
        well=0.8,
        epochs=15,
        batch_size=20,
    )
    wrong = replace(
        fixed,
        model=lambda: Labeler("relu", nn.ReLU()),
        optimizer=lambda parameters: optim.SGD(parameters, 0.01, momentum=0.99, nesterov=True),
    )
    return wrong, fixed
