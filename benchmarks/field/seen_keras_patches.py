"""Healthy programs after Keras's code examples: point clouds, patches and volumes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from building import rmsprop, sparse_crossentropy
from collection import healthy
from data import Rows, keras_start, mnist_images, split
from training import Training

import retrograd as rg
from retrograd import nn, optim

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


def accuracy(rows: Rows) -> Callable[[Predict], float]:
    """The share of rows whose highest output is the class."""
    return lambda predict: np.mean(predict(rows[0]).argmax(1) == rows[1])


def clouds(rows: int, points: int = 64, seed: int = 0) -> Rows:
    """Point clouds (rows, 3, points) of balls, boxes, tubes, discs or sticks, turned about z."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 5, rows)
    flat = rng.normal(size=(rows, points, 3))
    ball = flat / np.linalg.norm(flat, axis=2, keepdims=True)
    box = flat / abs(flat).max(2, keepdims=True)
    height = rng.uniform(-1, 1, (rows, points, 1))
    round_ = ball[..., :2] / np.linalg.norm(ball[..., :2], axis=2, keepdims=True)
    tube = np.concatenate([round_, height], 2)
    disc = np.concatenate([round_ * np.sqrt(abs(height)), 0.1 * height], 2)
    stick = np.concatenate([0.2 * round_, height], 2)
    x = np.stack([ball, box, tube, disc, stick])[kind, np.arange(rows)]
    turn = rng.uniform(-np.pi, np.pi, rows)
    c, s, o = np.cos(turn), np.sin(turn), np.zeros(rows)
    about = np.array([[c, -s, o], [s, c, o], [o, o, o + 1]])
    x = np.einsum("ijn,npj->nip", about, x) + rng.uniform(-0.02, 0.02, (rows, 3, points))
    return x.astype(np.float32), kind


class PointNet(nn.Module):
    """A learned turn of the points, features of each, and their maximum (Qi et al. 2017).

    The nine numbers of the turn come behind the class probabilities.
    """

    def __init__(self) -> None:
        super().__init__()

        def points(*widths: int) -> list[nn.Module]:
            steps = itertools.pairwise(widths)
            return [
                nn.Sequential(nn.Conv1d(n, m, 1), nn.BatchNorm1d(m, 1e-3, 1.0), nn.ReLU())
                for n, m in steps
            ]

        def dense(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs, 1e-3, 1.0), nn.ReLU()]

        top = [nn.AdaptiveMaxPool1d(1), nn.Flatten()]
        self.turn = nn.Sequential(*points(3, 16, 32, 64), *top, *dense(64, 32))
        self.to_turn = nn.Linear(32, 9)
        self.body = nn.Sequential(
            *(*points(3, 32, 32, 64, 128), *top, *dense(128, 64), nn.Dropout(0.3)),
            *(*dense(64, 32), nn.Dropout(0.3), nn.Linear(32, 5), nn.Softmax(1)),
        )
        keras_start(self)
        nn.init.zeros_(self.to_turn.weight)
        self.to_turn.bias.data = np.eye(3, dtype=np.float32).ravel()

    def forward(self, x: Any) -> rg.Tensor:
        turn = self.to_turn(self.turn(x))
        turned = rg.einsum("nip,nij->njp", rg.Tensor(x), turn.reshape(-1, 3, 3))
        return rg.concatenate([self.body(turned), turn], 1)


@healthy("keras-pointnet", source="https://keras.io/examples/vision/pointnet/", shape="classes")
def pointnet() -> Training:
    """Point clouds of five shapes; the learned turn is held near an orthogonal matrix."""
    train, valid = clouds(640), clouds(160, seed=1)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        turn = output[:, 5:].reshape(-1, 3, 3)
        off = rg.einsum("nij,nkj->nik", turn, turn) - np.eye(3, dtype=np.float32)
        return sparse_crossentropy(output[:, :5], target) + 0.001 * rg.square(off).sum()

    return Training(
        model=PointNet,
        train=train,
        valid=valid,
        loss=loss,
        optimizer=adam(),
        score=lambda predict: np.mean(predict(valid[0])[:, :5].argmax(1) == valid[1]),
        well=0.85,
        epochs=12,
    )


def patches(rows: Rows) -> Rows:
    """Digits as sixteen patches (rows, 16, 49)."""
    cut = rows[0].reshape(-1, 4, 7, 4, 7).transpose(0, 1, 3, 2, 4)
    return np.ascontiguousarray(cut).reshape(-1, 16, 49), rows[1]


class Patches(nn.Module):
    """Patches (rows, 16, 49) to vectors (rows, 16, 32), with their places if wanted."""

    def __init__(self, places: bool) -> None:
        super().__init__()
        self.project = nn.Linear(49, 32)
        self.places = nn.Embedding(16, 32) if places else None

    def forward(self, x: Any) -> rg.Tensor:
        x = self.project(x)
        return x if self.places is None else x + self.places.weight


@healthy(
    "keras-vision-transformer",
    source="https://keras.io/examples/vision/image_classification_with_vision_transformer/",
    shape="classes",
)
def vision_transformer() -> Training:
    """Patches through transformer blocks and a wide head with much dropout; AdamW."""
    train, valid = map(patches, mnist_images(3000))
    block = {"activation": "gelu", "layer_norm_eps": 1e-6, "norm_first": True}
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                Patches(places=True),
                *(
                    nn.TransformerEncoderLayer(32, 4, 64, 0.1, batch_first=True, **block)
                    for _ in range(2)
                ),
                *(nn.LayerNorm(32, 1e-6), nn.Flatten(), nn.Dropout(0.5)),
                *(nn.Linear(512, 128), nn.GELU(), nn.Dropout(0.5), nn.Linear(128, 10)),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=lambda p: optim.AdamW(p, 1e-3, eps=1e-7, weight_decay=1e-4),
        score=accuracy(valid),
        well=0.85,
        epochs=12,
        batch_size=64,
    )


class Mixer(nn.Module):
    """A perceptron across patches, then one across channels, each on what LayerNorm gives."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(32, 1e-6)
        self.across = nn.Sequential(nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 16))
        self.within = nn.Sequential(
            *(nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 32), nn.Dropout(0.2))
        )

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        x = x + rg.transpose(self.across(rg.transpose(self.norm(x), 1, 2)), 1, 2)
        return x + self.within(self.norm(x))


class MeanPatch(nn.Module):
    """(rows, patches, size) to (rows, size)."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x.mean(1)


@healthy(
    "keras-mlp-mixer",
    source="https://keras.io/examples/vision/mlp_image_classification/",
    shape="classes",
)
def mlp_mixer() -> Training:
    """MLP-Mixer (Tolstikhin et al. 2021): one LayerNorm used twice in a block; AdamW at 0.005."""
    train, valid = map(patches, mnist_images(3000))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(Patches(places=False), Mixer(), Mixer(), MeanPatch()),
                *(nn.Dropout(0.2), nn.Linear(32, 10)),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=lambda p: optim.AdamW(p, 0.005, eps=1e-7, weight_decay=1e-4),
        score=accuracy(valid),
        well=0.85,
        epochs=10,
        batch_size=64,
    )


@healthy(
    "keras-3d-ct-scans",
    source="https://keras.io/examples/vision/3D_image_classification/",
    shape="one output",
)
def ct_scans() -> Training:
    """Volumes with or without a bright lump; batches of two, Adam at 1e-4, a sigmoid."""
    rng = np.random.default_rng(0)
    sick = np.arange(160) % 2 == 1
    away = np.mgrid[:14, :14, :14][:, None] - rng.uniform(4, 10, (3, 160, 1, 1, 1))
    lump = 0.8 * np.exp(-np.square(away).sum(0) / 8) * sick[:, None, None, None]
    x = np.clip(rng.normal(0.25, 0.1, lump.shape) + lump, 0, 1)[:, None]
    train, valid = split(x.astype(np.float32), sick[:, None].astype(np.float32), 0.7)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Conv3d(1, 8, 3), nn.ReLU(), nn.MaxPool3d(2), nn.BatchNorm3d(8, 1e-3, 0.01)),
                *(nn.Conv3d(8, 16, 3), nn.ReLU(), nn.MaxPool3d(2)),
                *(nn.BatchNorm3d(16, 1e-3, 0.01), nn.AdaptiveAvgPool3d(1), nn.Flatten()),
                *(nn.Linear(16, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1), nn.Sigmoid()),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy,
        optimizer=adam(1e-4),
        score=lambda predict: np.mean((predict(valid[0]) > 0.5) == valid[1]),
        well=0.8,
        epochs=16,
        batch_size=2,
    )


class Antirectifier(nn.Module):
    """Both signs of the centred values, mixed back to their number."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.mix = nn.Linear(2 * size, size, bias=False)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        x = x - x.mean(-1, keepdim=True)
        return self.mix(rg.concatenate([rg.relu(x), rg.relu(-x)], -1))


@healthy(
    "keras-antirectifier",
    source="https://keras.io/examples/keras_recipes/antirectifier/",
    shape="classes",
)
def antirectifier() -> Training:
    """A layer of the author's own in place of ReLU; logits; RMSprop."""
    train, valid = ((x.reshape(len(x), -1), y) for x, y in mnist_images(2500))

    def model() -> nn.Module:
        mixes = [Antirectifier(128), Antirectifier(128)]
        net = keras_start(
            nn.Sequential(
                *(nn.Linear(784, 128), mixes[0], nn.Linear(128, 128), mixes[1]),
                *(nn.Dropout(0.5), nn.Linear(128, 10)),
            )
        )
        for each in mixes:
            nn.init.kaiming_normal_(each.mix.weight)
        return net

    return Training(
        model=model,
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=rmsprop(),
        score=accuracy(valid),
        well=0.9,
        epochs=10,
        batch_size=64,
    )
