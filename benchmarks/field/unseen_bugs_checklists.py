"""Mistakes of well-known checklists, each in a program after an example in the source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import hits
from collection import faulty
from data import drawn_shapes, made_names, split
from sklearn import datasets
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init


@faulty(
    "karpathy-tweet-view-for-permute",
    source="https://threadreaderapp.com/thread/1013244313327681536.html",
    shape="classes",
    faults=("view() where permute() belongs, so that pixels and channels are scrambled",),
    right=(),
)
def karpathy_tweet_view_for_permute() -> tuple[Training, Training]:
    """Images come as height, width, channels and are made channels first by a reshape."""
    x, y = drawn_shapes(1200, 16)
    train, test = split(np.ascontiguousarray(x.transpose(0, 2, 3, 1)), y)

    class Network(nn.Module):
        def __init__(self, permutes):
            super().__init__()
            self.permutes = permutes
            self.layers = nn.Sequential(
                *(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(2)),
                *(nn.Flatten(), nn.Linear(96, 4)),
            )

        def forward(self, x):
            moved = x.transpose(0, 3, 1, 2) if self.permutes else x.reshape(-1, 3, 16, 16)
            return self.layers(moved)

    fixed = Training(
        model=lambda: Network(True),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.003),
        score=hits(test),
        well=0.9,
        epochs=12,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, model=lambda: Network(False)), fixed


@faulty(
    "karpathy-makemore-confident-start",
    source="https://github.com/karpathy/nn-zero-to-hero",
    shape="language model",
    faults=("weights of deviation 1 throughout: confident logits and saturated tanh units",),
    right=("RG107", "RG406", "RG104"),
)
def karpathy_makemore_confident_start() -> tuple[Training, Training]:
    """The next letter of a name from the three before it: the MLP of makemore's third part."""
    (names, _), kinds = made_names(500, 10)
    padded = np.hstack([np.zeros((500, 3), np.int64), names])
    at = [
        (row, place)
        for row in range(500)
        for place in range(10)
        if padded[row, place + 2] or not place
    ]
    x = np.array([padded[row, place : place + 3] for row, place in at])
    y = np.array([padded[row, place + 3] for row, place in at])
    train, test = split(x, y)

    def start(first, last):
        model = nn.Sequential(
            *(nn.Embedding(kinds, 10), nn.Flatten(), nn.Linear(30, 200), nn.Tanh()),
            nn.Linear(200, kinds),
        )
        for layer, std in ((model[2], first), (model[4], last)):
            init.normal_(layer.weight, std=std)
            init.normal_(layer.bias, std=std)
        return model

    fixed = Training(
        model=lambda: start(0.2, 0.01),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, 0.1),
        score=hits(test),
        well=0.5,
        epochs=5,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, model=lambda: start(1.0, 1.0)), fixed


@faulty(
    "karpathy-recipe-flipped-images-old-labels",
    source="https://karpathy.github.io/2019/04/25/recipe/",
    shape="numbers",
    faults=("images are flipped left to right and their labels are not",),
    right=("RG307",),
)
def karpathy_recipe_flipped_images_old_labels() -> tuple[Training, Training]:
    """The place of a mark in an image; half the images are mirrored, their labels stay."""
    rng = np.random.default_rng(0)
    place = rng.uniform(2, 14, (900, 2))
    down, across = np.mgrid[:16, :16]
    far = (down - place[:, :1, None]) ** 2 + (across - place[:, 1:, None]) ** 2
    image = np.exp(-far / 6)[:, None] + rng.normal(0, 0.1, (900, 1, 16, 16))
    x, y = image.astype(np.float32), ((place - 8) / 4).astype(np.float32)
    train, test = (x[:700], y[:700]), (x[700:], y[700:])

    def augmented(mirrors):
        def fit(model, optimizer, rng):
            @rg.compile
            def step(x, y):
                optimizer.zero_grad()
                nn.mse_loss(model(x), y).backward()
                optimizer.step()

            for _ in range(12):
                for (x,), y in batches(train, 25, rng):
                    flip = rng.random(len(y)) < 0.5
                    label = y.copy()
                    if mirrors:
                        label[flip, 1] = -label[flip, 1] - 0.25
                    step(np.where(flip[:, None, None, None], x[..., ::-1], x), label)

        return fit

    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(392, 64), nn.ReLU(), nn.Linear(64, 2)),
        ),
        train=train,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.Adam(parameters, 0.002),
        score=lambda predict: 1 - np.square(predict(test[0]) - test[1]).mean() / test[1].var(),
        well=0.9,
        valid=test,
        fit=augmented(True),
    )
    return replace(fixed, fit=augmented(False)), fixed


@faulty(
    "orangeduck-whole-data-as-batch",
    source="https://theorangeduck.com/page/neural-network-not-working",
    shape="numbers",
    faults=("too large a batch: all rows at once",),
    right=("RG210", "RG203"),
)
def orangeduck_whole_data_as_batch() -> tuple[Training, Training]:
    """Diabetes-like motion data: Adam with one step an epoch over all 1,200 rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 10)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0] + x[:, 1]), x[:, 2] * x[:, 3], np.abs(x[:, 4])], 1)
    train, test = split(x, y.astype(np.float32))
    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Linear(10, 96), nn.ELU(), nn.Linear(96, 96), nn.ELU(), nn.Linear(96, 3))
        ),
        train=train,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=lambda predict: 1 - np.square(predict(test[0]) - test[1]).mean() / test[1].var(),
        well=0.75,
        epochs=40,
        batch_size=16,
        valid=test,
    )
    return replace(fixed, batch_size=1200), fixed


@faulty(
    "rasbt-checklist-unscaled-wine-from-zeros",
    source="https://github.com/rasbt/python-machine-learning-book/blob/master/faq/nnet-debugging-checklist.md",
    shape="classes",
    faults=("the features are not standardized", "all weights start at 0"),
    right=("RG301", "RG105"),
)
def rasbt_checklist_unscaled_wine_from_zeros() -> tuple[Training, Training]:
    """Three wines by a layer of logistic units and gradient descent, no validation rows."""
    raw, kind = datasets.load_wine(return_X_y=True)
    raw = raw.astype(np.float32)

    def start(zero):
        model = nn.Sequential(nn.Linear(13, 30), nn.Sigmoid(), nn.Linear(30, 3))
        for parameter in model.parameters() if zero else ():
            init.zeros_(parameter)
        return model

    def wines(x, zero):
        return Training(
            model=lambda: start(zero),
            train=(x, kind),
            loss=nn.cross_entropy,
            optimizer=lambda parameters: optim.SGD(parameters, 0.2),
            score=hits((x, kind)),
            well=0.95,
            epochs=40,
            batch_size=16,
        )

    return wines(raw, True), wines((raw - raw.mean(0)) / raw.std(0), False)


@faulty(
    "fsdl-files-in-any-order",
    source="https://fullstackdeeplearning.com/spring2021/lecture-7/",
    shape="one output",
    faults=("features and labels are read from files listed in different orders",),
    right=("RG307",),
)
def fsdl_files_in_any_order() -> tuple[Training, Training]:
    """Steering angles from sensors; the files of labels come in an order of their own."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 20, 8)).astype(np.float32)
    y = np.tanh(x[..., :1] + 0.5 * x[..., 1:2] * x[..., 2:3]) + 0.1 * rng.normal(size=(60, 20, 1))
    y = y.astype(np.float32)
    test = x[50:].reshape(-1, 8), y[50:].reshape(-1, 1)
    listed = rng.permutation(50)
    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
        ),
        train=(x[:50].reshape(-1, 8), y[:50].reshape(-1, 1)),
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=lambda predict: 1 - np.square(predict(test[0]) - test[1]).mean() / test[1].var(),
        well=0.8,
        epochs=20,
        batch_size=32,
        valid=test,
    )
    mixed = x[listed].reshape(-1, 8), fixed.train[1]
    return replace(fixed, train=mixed), fixed


@faulty(
    "slavv-37-columns-read-as-zeros",
    source="https://blog.slavv.com/37-reasons-why-your-neural-network-is-not-working-4020854bd607",
    shape="classes",
    faults=("most of the input is all zeros by a mistake in reading it",),
    right=("RG303",),
)
def slavv_37_columns_read_as_zeros() -> tuple[Training, Training]:
    """Tumours from 30 measurements of which the reader fills only the last few with numbers."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
    empty = x.copy()
    empty[:, [*range(14), *range(15, 19), *range(20, 30)]] = 0

    def tumours(x):
        train, test = split(x, y)
        return Training(
            model=lambda: nn.Sequential(
                *(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))
            ),
            train=train,
            loss=nn.cross_entropy,
            optimizer=lambda parameters: optim.Adam(parameters, 0.002),
            score=hits(test),
            well=0.93,
            epochs=20,
            batch_size=32,
            valid=test,
        )

    return tumours(empty), tumours(x)
