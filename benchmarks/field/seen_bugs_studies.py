"""Programs that DeepCrime mutates and that UMLAUT's authors gave to people to repair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import hits
from collection import faulty
from data import drawn_shapes, mnist_images, ratings, split
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init


def fit_of(x, y):
    """R² on some rows; `x` is an array or a tuple of arrays."""
    inputs = x if isinstance(x, tuple) else (x,)
    return lambda predict: 1 - np.square(predict(*inputs).reshape(y.shape) - y).mean() / y.var()


@faulty(
    "deepcrime-gaze-lenet-zero-weights",
    source="https://github.com/dlfaults/deepcrime/blob/master/test_models/lenet.py",
    shape="numbers",
    faults=("all weights start at 0",),
    right=("RG105",),
)
def deepcrime_gaze_lenet_zero_weights() -> tuple[Training, Training]:
    """LeNet that tells the gaze from an eye and the head's pose, with an angle as the loss."""
    rng = np.random.default_rng(0)
    rows, (high, wide) = 1000, (18, 30)
    head = rng.normal(0, 0.2, (rows, 2))
    turn = rng.normal(0, 0.35, (rows, 2))
    gaze = np.array([1.3, 0.6]) + head + turn
    places = np.mgrid[:high, :wide][:, None] - np.array([high / 2, wide / 2])[:, None, None, None]
    pupil = turn.T[:, :, None, None] * np.array([8, 14])[:, None, None, None]
    eye = np.hypot(*(places - pupil)) < 3.5
    eye = (0.8 - 0.7 * eye + rng.normal(0, 0.05, eye.shape))[:, None].astype(np.float32)
    head, gaze = head.astype(np.float32), gaze.astype(np.float32)
    cut = 800

    class LeNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                *(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(8, 16, 5), nn.ReLU(), nn.Flatten(), nn.Linear(432, 64), nn.ReLU()),
            )
            self.last = nn.Linear(66, 2)

        def forward(self, image, pose):
            return self.last(rg.concatenate([pose, self.layers(image)], 1))

    def zeros():
        model = LeNet()
        for parameter in model.parameters():
            init.zeros_(parameter)
        return model

    def direction(angles, xp):
        first, second = angles[:, 0], angles[:, 1]
        return xp.sin(first) * xp.cos(second), xp.sin(first) * xp.sin(second), xp.cos(first)

    def angle(output, target):
        seen, true = direction(output, rg), direction(target, rg)
        cosine = seen[0] * true[0] + seen[1] * true[1] + seen[2] * true[2]
        return rg.acos(rg.clip(cosine, -0.99999, 0.99999)).mean()

    def score(predict):
        def away(angles):
            pairs = zip(direction(angles, np), direction(gaze[cut:], np), strict=True)
            return np.arccos(np.clip(sum(a * b for a, b in pairs), -1, 1)).mean()

        middle = np.broadcast_to(gaze[:cut].mean(0), gaze[cut:].shape)
        return 1 - away(predict(eye[cut:], head[cut:])) / away(middle)

    fixed = Training(
        model=LeNet,
        train=((eye[:cut], head[:cut]), gaze[:cut]),
        loss=angle,
        optimizer=lambda parameters: optim.SGD(parameters, 0.05),
        score=score,
        well=0.5,
        epochs=15,
        batch_size=32,
    )
    return replace(fixed, model=zeros), fixed


@faulty(
    "deepcrime-movielens-tensordot-over-batch",
    source="https://github.com/dlfaults/deepcrime/blob/master/test_models/movie_recomm_mod.py",
    shape="recommender",
    faults=("the products of users and films are summed over the whole batch as well",),
    right=("RG408",),
)
def deepcrime_movielens_tensordot_over_batch() -> tuple[Training, Training]:
    """Keras' film recommender: a sigmoid of embeddings' products and biases."""
    user, film, rating = ratings(6000)
    pairs, stars = np.stack([user, film], 1), ((rating - 1) / 4).astype(np.float32)
    cut = 5000

    class Recommender(nn.Module):
        def __init__(self, axis):
            super().__init__()
            self.axis = axis
            self.user, self.film = nn.Embedding(120, 8), nn.Embedding(150, 8)
            self.user_bias, self.film_bias = nn.Embedding(120, 1), nn.Embedding(150, 1)
            for layer in (self.user, self.film):
                init.normal_(layer.weight, std=0.2)
            for layer in (self.user_bias, self.film_bias):
                init.uniform_(layer.weight, -0.05, 0.05)

        def forward(self, pairs):
            user, film = pairs[:, 0], pairs[:, 1]
            products = self.user(user) * self.film(film)
            together = products.sum() if self.axis is None else products.sum(1, keepdims=True)
            return rg.sigmoid(together + self.user_bias(user) + self.film_bias(film))

    fixed = Training(
        model=lambda: Recommender(1),
        train=(pairs[:cut], stars[:cut, None]),
        loss=nn.binary_cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.005),
        score=fit_of(pairs[cut:], stars[cut:]),
        well=0.35,
        epochs=15,
        batch_size=64,
    )
    return replace(fixed, model=lambda: Recommender(None)), fixed


@faulty(
    "deepcrime-driving-without-batches",
    source="https://github.com/dlfaults/deepcrime/blob/master/test_models/train_self_driving_car.py",
    shape="one output",
    faults=("batches are switched off, so that each epoch is one step over all rows",),
    right=("RG210", "RG203"),
)
def deepcrime_driving_without_batches() -> tuple[Training, Training]:
    """NVIDIA's steering network on images of a road, ELU, dropout, Adam at 0.0001."""
    rng = np.random.default_rng(0)
    bend, shift = rng.normal(0, 1, (2, 600, 1, 1))
    down, across = np.mgrid[:20, :40]
    near = (down + 1) / 20
    middle = 20 + 4 * shift * near + 8 * bend * (1 - near) ** 2
    road = np.abs(across - middle) < 2 + 8 * near
    image = 255 * np.clip(np.where(road, 0.4, 0.7) + rng.normal(0, 0.05, road.shape), 0, 1)
    x = (image[:, None] / 127.5 - 1).astype(np.float32)
    y = (0.5 * bend + 0.25 * shift)[:, 0].astype(np.float32)
    train, valid = (x[:450], y[:450]), (x[450:], y[450:])
    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 12, 5, stride=2), nn.ELU(), nn.Conv2d(12, 18, 5, stride=2), nn.ELU()),
            *(nn.Dropout(0.5), nn.Flatten(), nn.Linear(252, 100), nn.ELU()),
            *(nn.Linear(100, 50), nn.ELU(), nn.Linear(50, 10), nn.ELU(), nn.Linear(10, 1)),
        ),
        train=train,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.Adam(parameters, 5e-4),
        score=fit_of(*valid),
        well=0.8,
        epochs=10,
        batch_size=64,
        valid=valid,
    )
    return replace(fixed, batch_size=450), fixed


@faulty(
    "deepcrime-mnist-changed-labels",
    source="https://github.com/dlfaults/deepcrime/blob/master/operators/training_data_operators.py",
    shape="classes",
    faults=("most labels of the training rows are changed to others",),
    right=("RG307",),
)
def deepcrime_mnist_changed_labels() -> tuple[Training, Training]:
    """Keras' small MNIST network with dropout; two labels of three are replaced by random ones."""
    (x, y), test = mnist_images(2000, 14)
    rng = np.random.default_rng(3)
    changed = np.where(rng.random(len(y)) < 0.75, rng.integers(0, 10, len(y)), y)
    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Conv2d(12, 24, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Dropout(0.25), nn.Flatten(), nn.Linear(600, 64), nn.ReLU(), nn.Dropout(0.5)),
            nn.Linear(64, 10),
        ),
        train=(x, y),
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.9,
        epochs=8,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, train=(x, changed)), fixed


@faulty(
    "umlaut-study-linear-convolutions-uphill",
    source="https://github.com/BerkeleyHCI/umlaut/blob/master/user_eval/eval_b.py",
    shape="classes",
    faults=(
        "no activation anywhere",
        "a negative learning rate, which climbs",
        "steps of 1000",
        "validation rows are training rows",
    ),
    right=("RG109", "RG407", "RG201", "RG304"),
)
def umlaut_study_linear_convolutions_uphill() -> tuple[Training, Training]:
    """Linear convolutions on small colour images, Adam at -1000, seen rows for validation."""
    train, test = split(*drawn_shapes(1200, 16))

    def start(*activation):
        return nn.Sequential(
            *(nn.Conv2d(3, 12, 3), *activation, nn.Conv2d(12, 12, 3), *activation),
            *(nn.MaxPool2d(2), nn.Dropout(0.2), nn.Conv2d(12, 24, 3), *activation),
            *(nn.Flatten(), nn.Linear(384, 48), *activation, nn.Dropout(0.2), nn.Linear(48, 4)),
        )

    fixed = Training(
        model=lambda: start(nn.ReLU()),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.85,
        epochs=10,
        batch_size=32,
        valid=test,
    )
    wrong = replace(
        fixed,
        model=start,
        loss=lambda output, target: -nn.cross_entropy(output, target),
        optimizer=lambda parameters: optim.Adam(parameters, 1e3),
        valid=(train[0][:100], train[1][:100]),
    )
    return wrong, fixed
