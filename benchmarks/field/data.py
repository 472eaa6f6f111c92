"""The data of the programs: real sets in small parts, and made ones of a form that they share."""

from __future__ import annotations

import collections
import csv
import functools
import gzip
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

__all__ = [
    "FOLDER",
    "beijing_weather",
    "census",
    "digits",
    "engine_noise",
    "keras_start",
    "mnist",
    "mnist_images",
    "ratings",
    "sentences",
    "shape_images",
    "split",
    "trained",
    "windows",
]

# Real data sets, beside the repository.
FOLDER = Path("../shared/data")

Array = np.ndarray[Any, Any]
Rows = tuple[Array, Array]


def split(x: Array, y: Array, share: float = 0.8, seed: int = 0) -> tuple[Rows, Rows]:
    """Rows in a random order, a `share` for training, the rest for validation."""
    order = np.random.default_rng(seed).permutation(len(y))
    middle = int(share * len(y))
    train, valid = order[:middle], order[middle:]
    return (x[train], y[train]), (x[valid], y[valid])


@functools.cache
def digits() -> tuple[Rows, Rows]:
    """(rows, 64) from 0 to 1, and the classes: 1,437 and 360 rows."""
    x, y = datasets.load_digits(return_X_y=True)
    return split((x / 16).astype(np.float32), y.astype(np.int64))


@functools.cache
def mnist(rows: int = 2500) -> tuple[Rows, Rows]:
    """(rows, 28, 28) from 0 to 1, and the classes; a fifth for validation."""
    saved = np.load(FOLDER / "mnist_5k" / "mnist_5k.npz", allow_pickle=False)
    # The file is in the order of the classes.
    kept = np.random.default_rng(1).permutation(len(saved["y"]))[:rows]
    x = saved["X"][kept].reshape(-1, 28, 28) / 255
    return split(x.astype(np.float32), saved["y"][kept].astype(np.int64))


# For the programs after Keras and TensorFlow ------------------------------------------------------


@functools.cache
def mnist_images(rows: int = 2500, side: int = 28) -> tuple[Rows, Rows]:
    """(rows, 1, side, side) from 0 to 1 and all ten classes; side 14 averages four pixels."""
    saved = np.load(FOLDER / "mnist_5k" / "mnist_5k.npz", allow_pickle=False)
    chosen = np.random.default_rng(0).permutation(len(saved["y"]))[:rows]
    step = 28 // side
    x = saved["X"][chosen].reshape(-1, 1, side, step, side, step).mean((3, 5)) / 255
    return split(x.astype(np.float32), saved["y"][chosen].astype(np.int64))


@functools.cache
def shape_images(rows: int, side: int = 24, kinds: int = 5, seed: int = 0) -> tuple[Array, ...]:
    """Discs, squares, crosses, rings and bars: images (rows, 3, side, side), the kind of
    each, and masks (rows, side, side) of 0 object, 1 ground, 2 rim, as in the pets' trimaps.
    """
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:side, :side]
    kind = rng.integers(0, kinds, rows)
    radius = rng.uniform(0.2, 0.32, rows) * side
    middle = rng.uniform(0.4, 0.6, (rows, 2)) * side
    images = np.empty((rows, 3, side, side), np.float32)
    masks = np.empty((rows, side, side), np.int64)
    for i in range(rows):
        y, x = abs(down - middle[i, 0]), abs(across - middle[i, 1])
        far, most, r = np.hypot(y, x), np.maximum(y, x), radius[i]
        distance = [
            far - r,
            most - 0.85 * r,
            np.maximum(np.minimum(y, x) - r / 3, most - r),
            abs(far - 0.8 * r) - 0.25 * r,
            np.maximum(x - 1.1 * r, y - r / 3),
        ][kind[i]]
        masks[i] = np.where(distance < -0.7, 0, np.where(distance < 0.7, 2, 1))
        light, dark = rng.uniform(0.5, 1, 3), rng.uniform(0, 0.45, 3)
        images[i] = np.where(distance < 0, light[:, None, None], dark[:, None, None])
    images += rng.normal(0, 0.06, images.shape)
    return np.clip(images, 0, 1), kind, masks


@functools.cache
def sentences(name: str, rows: int, words: int = 2000, length: int = 24) -> tuple[Rows, Rows]:
    """Texts of a folder's table as word numbers (rows, length), 0 after the end, 1 for rare words,
    and the label as a number from 0.
    """
    (path,) = (FOLDER / name).glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        table = [
            (each["label"], each.get("text") or each["title"]) for each in csv.DictReader(file)
        ]
    table = [table[i] for i in np.random.default_rng(0).permutation(len(table))[:rows]]
    split_texts = [re.findall(r"[a-z']+", text.lower()) for _, text in table]
    counts = collections.Counter(word for text in split_texts for word in text)
    number = {word: i + 2 for i, (word, _) in enumerate(counts.most_common(words - 2))}
    x = np.zeros((len(table), length), np.int64)
    for row, text in zip(x, split_texts, strict=True):
        known = [number.get(word, 1) for word in text[:length]]
        row[: len(known)] = known
    return split(x, np.unique([label for label, _ in table], return_inverse=True)[1])


@functools.cache
def census(rows: int = 4000) -> tuple[tuple[Array, Array, Array], list[int]]:
    """Adult income: five numbers, eight categories as codes, whether above 50K, and how many codes
    each category has. The numbers are as they come.
    """
    numbers = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week")
    categories = (
        *("workclass", "education", "marital_status", "occupation"),
        *("relationship", "race", "sex", "native_country"),
    )
    with (FOLDER / "adult_income" / "train.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    table = [table[i] for i in np.random.default_rng(0).permutation(len(table))[:rows]]
    codes = [np.unique([row[c] for row in table], return_inverse=True)[1] for c in categories]
    return (
        np.array([[float(row[n]) for n in numbers] for row in table], np.float32),
        np.stack(codes, 1).astype(np.int64),
        np.array([row["income"].strip() == ">50K" for row in table], np.int64),
    ), [int(code.max()) + 1 for code in codes]


@functools.cache
def engine_noise(rows: int = 900, length: int = 120) -> tuple[Rows, Rows]:
    """(rows, 1, length) standardized signals in FordA's form: of two classes, one with a resonance
    that the other lacks.
    """
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, rows)
    time = np.arange(length)
    x = rng.normal(0, 0.6, (rows, length))
    for frequency, only in ((0.05, None), (0.11, 0), (0.17, 1)):
        phase = rng.uniform(0, 2 * np.pi, (rows, 1))
        high = rng.uniform(0.4, 1, (rows, 1)) * (1 if only is None else (label == only)[:, None])
        x += high * np.sin(2 * np.pi * frequency * time + phase)
    x = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    return split(x[:, None].astype(np.float32), label)


@functools.cache
def ratings(rows: int = 6000, users: int = 120, films: int = 150) -> tuple[Array, Array, Array]:
    """Made ratings in MovieLens' form: user, film, and 1 to 5 in halves, from tastes of rank 3."""
    rng = np.random.default_rng(0)
    taste, trait = rng.normal(0, 0.75, (users, 3)), rng.normal(0, 0.75, (films, 3))
    user = rng.integers(0, users, rows)
    film = np.minimum(rng.exponential(films / 4, rows).astype(np.int64), films - 1)
    mean = 3.4 + rng.normal(0, 0.35, users)[user] + rng.normal(0, 0.45, films)[film]
    exact = mean + (taste[user] * trait[film]).sum(1) + rng.normal(0, 0.4, rows)
    return user, film, (np.clip(np.round(2 * exact), 2, 10) / 2).astype(np.float32)


@functools.cache
def beijing_weather(every: int = 3) -> Array:
    """(hours, 6) as they come: temperature, dew point, pressure, wind, and the time of the day as
    sine and cosine; every third hour of the first two years.
    """
    with (FOLDER / "time_series" / "pollution.csv").open(encoding="utf-8", newline="") as file:
        table = list(itertools.islice(csv.DictReader(file), 0, 17520, every))
    columns = ("TEMP", "DEWP", "PRES", "Iws")
    measured = np.array([[float(row[c]) for c in columns] for row in table])
    turn = 2 * np.pi * np.array([[float(row["hour"])] for row in table]) / 24
    return np.concatenate([measured, np.sin(turn), np.cos(turn)], 1).astype(np.float32)


def windows(series: Array, width: int, ahead: int = 1) -> tuple[Array, Array]:
    """All windows (rows, width, ...) of a series, and the `ahead` values after each."""
    rows = np.arange(len(series) - width - ahead + 1)[:, None]
    return series[rows + np.arange(width)], series[rows + width + np.arange(ahead)]


def keras_start(model: nn.Module) -> nn.Module:
    """The initial weights that Keras draws: Glorot's uniform ones, zero biases, small embeddings,
    orthogonal recurrence and an open forget gate.
    """
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            init.uniform_(module.weight, -0.05, 0.05)
            continue
        recurrent = isinstance(module, nn.LSTM | nn.GRU | nn.RNN)
        layered = recurrent or isinstance(getattr(module, "weight", None), rg.Parameter)
        for name, parameter in module.named_parameters(recurse=False) if layered else ():
            if parameter.ndim > 1:
                draw = init.orthogonal_ if "weight_hh" in name else init.xavier_uniform_
                draw(parameter)
            elif "bias" in name:
                init.zeros_(parameter)
                if isinstance(module, nn.LSTM) and "bias_ih" in name:
                    size = module.hidden_size
                    parameter.data[size : 2 * size] = 1
    return model


def trained(
    model: nn.Module, rows: Rows, loss: Callable[[Any, Any], Any], epochs: int, lr: float = 1e-3
) -> nn.Module:
    """The model after some epochs of Adam, which its author loaded or trained before."""
    optimizer = optim.Adam(model.parameters(), lr)
    rng = np.random.default_rng(7)

    @rg.compile
    def step(inputs: Array, target: Array) -> None:
        optimizer.zero_grad()
        loss(model(inputs), target).backward()
        optimizer.step()

    size = 32
    for _ in range(epochs):
        order = rng.permutation(len(rows[1]))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            step(rows[0][chosen], rows[1][chosen])
    model.zero_grad()
    return model


@functools.cache
def drawn_shapes(rows: int = 2000, side: int = 16, channels: int = 3, seed: int = 0) -> Rows:
    """Images (rows, channels, side, side) from 0 to 1 of a square, a disc, a cross or a ring.

    Place, size and colour are drawn; the class is the shape's.
    """
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 4, rows)
    half = rng.uniform(side / 5, side / 3, (rows, 1, 1))
    middle = rng.uniform(side / 3, 2 * side / 3, (2, rows, 1, 1))
    down, right = np.abs(np.mgrid[:side, :side][:, None] - middle)
    away = np.hypot(down, right)
    kinds = [
        np.maximum(down, right) < 0.9 * half,
        away < half,
        np.minimum(down, right) * 3 + 0 * half < half,
        (away < half) & (away > 0.55 * half),
    ]
    kinds[2] &= np.maximum(down, right) < half
    inside = np.choose(classes[:, None, None], kinds)[:, None]
    front = rng.uniform(0.55, 1.0, (rows, channels, 1, 1))
    back = rng.uniform(0.0, 0.4, (rows, channels, 1, 1))
    images = np.where(inside, front, back) + rng.normal(0, 0.03, (rows, channels, side, side))
    return images.clip(0, 1).astype(np.float32), classes.astype(np.int64)


@functools.cache
def shape_masks(rows: int = 400, side: int = 16, seed: int = 0) -> Rows:
    """Grey images with a bright square and a disc, and the class of each pixel: 0, 1 or 2."""
    rng = np.random.default_rng(seed)
    places = np.mgrid[:side, :side][:, None]
    masks = np.zeros((rows, side, side), np.int64)
    for kind in (1, 2):
        half = rng.uniform(side / 8, side / 5, (rows, 1, 1))
        down, right = np.abs(places - rng.uniform(half, side - half, (2, rows, 1, 1)))
        masks[(np.maximum(down, right) if kind == 1 else np.hypot(down, right)) < half] = kind
    images = np.array([0.2, 0.6, 0.75])[masks] + rng.normal(0, 0.08, masks.shape)
    return images[:, None].astype(np.float32), masks


@functools.cache
def made_names(rows: int = 1200, length: int = 10, seed: int = 0) -> tuple[Rows, int]:
    """Names of four invented languages as letters (rows, length), 0 behind the end; how many ids.

    Each language has syllables of its own, some shared with another.
    """
    languages = [
        ["ka", "ko", "mi", "to", "shi", "ra", "na", "yu", "ha", "ki"],
        ["sch", "berg", "mann", "stein", "er", "feld", "ack", "en", "ka", "na"],
        ["ov", "ev", "ski", "ko", "mi", "pet", "yur", "ak", "in", "gor"],
        ["ello", "ini", "ra", "to", "vi", "pa", "ros", "co", "mar", "di"],
    ]
    rng = np.random.default_rng(seed)
    letters = np.zeros((rows, length), np.int64)
    classes = rng.integers(0, 4, rows)
    for row, language in zip(letters, classes, strict=True):
        name = "".join(rng.choice(languages[language], rng.integers(2, 4)))[:length]
        row[: len(name)] = [ord(letter) - ord("a") + 1 for letter in name]
    return (letters, classes), 27


@functools.cache
def made_sentences(rows: int = 600, seed: int = 0) -> tuple[Array, Array, int]:
    """Five-word sentences, their word-by-word translations in another order, the words' count.

    Ids from 2; 0 ends a sentence and fills, 1 starts one. In the translation an adjective stands
    behind its noun, and the verb comes last.
    """
    rng = np.random.default_rng(seed)
    pick = rng.integers(0, [2, 6, 8, 5, 8], (rows, 5))  # article, adjective, noun, verb, object
    words = pick + 2 + np.cumsum([0, 2, 6, 8, 5])
    order = words[:, [0, 2, 1, 4, 3]]
    end = np.zeros((rows, 1), np.int64)
    return np.hstack([words, end]), np.hstack([order, end]), 31


@functools.cache
def shakespeare(characters: int = 60_000) -> tuple[Array, int]:
    """The beginning of Tiny Shakespeare as character ids, and how many different ones there are."""
    text = (FOLDER / "tinyshakespeare" / "input.txt").read_text()[:characters]
    kinds, ids = np.unique(list(text), return_inverse=True)
    return ids.astype(np.int64), len(kinds)


@functools.cache
def cited_papers(nodes: int = 512, words: int = 96, seed: int = 0) -> tuple[Array, Array, Array]:
    """A made citation graph: words of each paper, the adjacency with loops, and the four fields.

    Papers of one field cite each other ten times as often and share a part of their words.
    """
    rng = np.random.default_rng(seed)
    fields = rng.integers(0, 4, nodes)
    same = fields[:, None] == fields
    cites = np.triu(rng.random((nodes, nodes)) < np.where(same, 0.03, 0.003), 1)
    graph = (cites | cites.T | np.eye(nodes, dtype=bool)).astype(np.float32)
    topic = np.arange(words) % 4 == fields[:, None]
    bag = (rng.random((nodes, words)) < np.where(topic, 0.12, 0.06)).astype(np.float32)
    return bag / np.maximum(bag.sum(1, keepdims=True), 1), graph, fields.astype(np.int64)


@functools.cache
def made_sounds(rows: int = 600, length: int = 1600, seed: int = 0) -> Rows:
    """Sounds (rows, 1, length) of five kinds: two tones, a rising and a falling one, and noise."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 5, rows)
    time = np.arange(length) / length
    start = np.array([40, 120, 40, 160, 0])[kinds, None] * rng.uniform(0.85, 1.15, (rows, 1))
    rise = np.array([0, 0, 60, -60, 0])[kinds, None]
    phase = 2 * np.pi * (start * time + rise * time**2 + rng.random((rows, 1)))
    sound = np.where(kinds[:, None] == 4, rng.normal(0, 0.5, (rows, length)), np.sin(phase))
    sound = rng.uniform(0.3, 0.9, (rows, 1)) * sound + rng.normal(0, 0.1, (rows, length))
    return sound[:, None].astype(np.float32), kinds.astype(np.int64)


class CartPole:
    """The pole on a cart of Barto, Sutton and Anderson (1983), as in Gym: at most 200 steps."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def reset(self) -> Array:
        self.steps = 0
        self.state = self.rng.uniform(-0.05, 0.05, 4)
        return self.state.astype(np.float32)

    def step(self, action: int) -> tuple[Array, float, bool]:
        """The next state, the reward, and whether the pole fell."""
        _, speed, angle, turn = self.state
        force = 10.0 if action == 1 else -10.0
        sine, cosine = np.sin(angle), np.cos(angle)
        push = (force + 0.05 * turn**2 * sine) / 1.1
        bend = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
        pull = push - 0.05 * bend * cosine / 1.1
        self.state = self.state + 0.02 * np.array([speed, pull, turn, bend])
        self.steps += 1
        fell = abs(self.state[0]) > 2.4 or abs(self.state[2]) > 0.2095
        return self.state.astype(np.float32), 1.0, bool(fell)


def cart_pole_rows(rows: int = 512, seed: int = 0) -> tuple[Array, Array]:
    """States of a cart that is pushed at random, and (action, return) with returns to a mean of 0.

    Returns are discounted by 0.99 and standardized in each episode.
    """
    rng = np.random.default_rng(seed)
    world, states, targets = CartPole(rng), [], []
    while len(states) < rows:
        state, actions, done = world.reset(), [], False
        while not done:
            actions.append(int(rng.integers(0, 2)))
            states.append(state)
            state, _, done = world.step(actions[-1])
        targets += zip(actions, standard_returns(len(actions)), strict=True)
    return np.array(states[:rows]), np.array(targets[:rows], np.float32)


def standard_returns(steps: int, gamma: float = 0.99) -> Array:
    """The discounted returns of an episode of `steps` rewards of 1, to mean 0 and deviation 1."""
    returns = (1 - gamma ** np.arange(steps, 0, -1)) / (1 - gamma)
    return ((returns - returns.mean()) / (returns.std() + 1e-7)).astype(np.float32)


def cart_pole_steps(choose: Any, episodes: int = 10, seed: int = 99) -> float:
    """For how many steps of 200 the pole stands, on average, if `choose(states)` picks actions."""
    worlds = [CartPole(np.random.default_rng(seed + i)) for i in range(episodes)]
    states, stands = np.stack([world.reset() for world in worlds]), np.ones(episodes, bool)
    steps = 0
    for _ in range(200):
        actions = choose(states)
        steps += int(stands.sum())
        for i in np.flatnonzero(stands):
            states[i], _, fell = worlds[i].step(int(actions[i]))
            stands[i] = not fell
    return steps / episodes


# For the programs of scikit-learn, fastai, d2l.ai, JAX and the teaching programs ------------------


@functools.cache
def mnist_mixed(rows: int = 5000, share: float = 0.8) -> tuple[Rows, Rows]:
    """The first rows of MNIST's training file, where the ten classes are mixed; as `mnist`."""
    with gzip.open(FOLDER / "mnist" / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + rows * 784), np.uint8, offset=16)
    with gzip.open(FOLDER / "mnist" / "train-labels-idx1-ubyte.gz") as file:
        classes = np.frombuffer(file.read(8 + rows), np.uint8, offset=8)
    x = (pixels.reshape(-1, 28, 28) / 255).astype(np.float32)
    return split(x, classes.astype(np.int64), share)


@functools.cache
def threes_and_sevens() -> tuple[Rows, Rows]:
    """(rows, 784) and (rows, 1): 1 for a three; the training rows are all threes, then all sevens.

    fastai's MNIST sample in its order; about 2,900 and 730 rows.
    """
    (x, y), (valid_x, valid_y) = mnist_mixed(18_000)

    def of(images: Array, classes: Array) -> Rows:
        threes, sevens = (images[classes == each].reshape(-1, 784) for each in (3, 7))
        target = np.repeat(np.float32([1, 0]), [len(threes), len(sevens)])
        return np.concatenate([threes, sevens]), target[:, None]

    return of(x, y), of(valid_x, valid_y)


@functools.cache
def csv_columns(path: str) -> dict[str, Array]:
    """A CSV file's columns by name, as texts."""
    with (FOLDER / path).open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}


@functools.cache
def california(rows: int = 4000) -> Rows:
    """(rows, 8) numbers of districts, in no particular order, and their value in 100,000s."""
    table = csv_columns("california_housing/housing.csv")
    names = [name for name in table if name not in ("median_house_value", "ocean_proximity")]
    chosen = np.random.default_rng(0).permutation(len(table["latitude"]))[:rows]
    x = np.stack([table[name][chosen] for name in names], 1)
    x = np.where(x == "", "435", x).astype(np.float32)  # the median of the missing column
    return x, (table["median_house_value"][chosen].astype(np.float32) / 100_000)[:, None]


@functools.cache
def letters(characters: int) -> Array:
    """The first characters of tinyshakespeare as codes: 0 for a space, 1 to 26 for letters."""
    text = (FOLDER / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    words = "".join(each if "a" <= each <= "z" else " " for each in text.lower()).split()
    codes = np.frombuffer(" ".join(words)[:characters].encode(), np.uint8).astype(np.int64)
    return np.where(codes == ord(" "), 0, codes - ord("a") + 1)


def letter_windows(codes: Array, length: int, count: int, seed: int = 0) -> Rows:
    """(count, length) codes from random places, and the same one further."""
    starts = np.random.default_rng(seed).integers(0, len(codes) - length, count)
    places = starts[:, None] + np.arange(length)
    return codes[places], codes[places + 1]


@functools.cache
def review_ids(length: int, words: int, rows: int = 4000) -> tuple[Rows, Rows]:
    """SST-2's sentences as ids of words (0 fills up, 1 is unknown), and 1 for a positive one."""
    train, dev = csv_columns("sst2/train.csv"), csv_columns("sst2/dev.csv")
    counts = collections.Counter(word for text in train["text"][:rows] for word in text.split())
    ids = {word: 2 + i for i, (word, _) in enumerate(counts.most_common(words - 2))}

    def of(table: dict[str, Array], first: int) -> Rows:
        x = np.zeros((len(table["text"][:first]), length), np.int64)
        for row, text in zip(x, table["text"][:first], strict=True):
            found = [ids.get(word, 1) for word in text.split()[:length]]
            row[: len(found)] = found
        return x, table["label"][:first].astype(np.int64)

    return of(train, rows), of(dev, len(dev["text"]))


@functools.cache
def movie_ratings(users: int = 200, movies: int = 150, count: int = 10_000) -> tuple[Rows, Rows]:
    """(rows, 2) ids of users and movies and ratings from 1 to 5, as MovieLens holds them.

    Made: each user and movie has a level and three tastes.
    """
    rng = np.random.default_rng(0)
    pairs = rng.choice(users * movies, count, replace=False)
    x = np.stack([pairs // movies, pairs % movies], 1)
    levels = rng.normal(0, 0.5, users)[x[:, 0]] + rng.normal(0, 0.6, movies)[x[:, 1]]
    tastes = rng.normal(0, 0.75, (users, 3))[x[:, 0]] * rng.normal(0, 0.75, (movies, 3))[x[:, 1]]
    exact = 3.5 + levels + tastes.sum(1) + rng.normal(0, 0.5, count)
    return split(x.astype(np.int64), np.clip(np.round(exact), 1, 5).astype(np.float32)[:, None])


def drawn_kind(kind: int, row: float, column: float, size: int, radius: float) -> Array:
    """(size, size): a disc, a square, a cross, a ring or a diagonal around a place, 1 inside."""
    i, j = np.mgrid[:size, :size]
    down, right = np.abs(i - row), np.abs(j - column)
    far = np.hypot(down, right)
    inside = (
        far <= radius,
        np.maximum(down, right) <= 0.8 * radius,
        (np.minimum(down, right) <= radius / 4) & (far <= radius),
        (far <= radius) & (far >= 0.6 * radius),
        (np.abs((i - row) - (j - column)) <= radius / 3) & (far <= radius),
    )[kind]
    return inside.astype(np.float32)


def mixed_mnist(rows: int) -> tuple[Rows, Rows]:
    """`rows` images (28, 28) of all ten classes, and a quarter as many for validation."""
    (x, y), (x_valid, y_valid) = mnist(5000)
    return (x[:rows], y[:rows]), (x_valid[: rows // 4], y_valid[: rows // 4])


# For the programs from forums ---------------------------------------------------------------------


@functools.cache
def house_prices() -> tuple[Array, Array]:
    """Sacramento's houses as they come: beds, baths, area, latitude, longitude; and the prices."""
    with (FOLDER / "sacramento_homes" / "sacramento.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    columns = ("beds", "baths", "sqft", "latitude", "longitude")
    x = np.array([[float(row[c]) for c in columns] for row in table], np.float32)
    return x, np.array([float(row["price"]) for row in table], np.float32)


def standard(x: Array, like: Array | None = None) -> Array:
    """The columns of `x` to the mean 0 and the deviation 1 that they have in `like`."""
    like = x if like is None else like
    return ((x - like.mean(0)) / (like.std(0) + 1e-8)).astype(np.float32)


@functools.cache
def news_titles(rows: int, length: int = 24, words: int = 3000) -> tuple[Rows, int]:
    """Titles of AG News as word ids (rows, length), 0 behind the end, their topics; how many ids.

    Of the words, the commonest have ids from 2; all others share 1.
    """
    with open(FOLDER / "ag_news_7600" / "ag_news_test.csv", encoding="utf-8") as file:
        table = list(csv.DictReader(file))[:rows]
    texts = [re.findall("[a-z]+", row["title"].lower())[:length] for row in table]
    common = collections.Counter(word for text in texts for word in text).most_common(words - 2)
    index = {word: i for i, (word, _) in enumerate(common, 2)}
    ids = np.zeros((len(texts), length), np.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = [index.get(word, 1) for word in text]
    return (ids, np.array([int(row["label"]) - 1 for row in table])), words


@functools.cache
def next_letters(context: int, words: int = 6000) -> tuple[Rows, Rows]:
    """(rows, context) letters of a word and the one that follows; 0 is before and after the word.

    The words are those of a play, each once, in a random order; a tenth is for validation.
    """
    codes = letters(400_000)
    found = {tuple(each) for each in np.split(codes, np.flatnonzero(codes == 0))}
    chosen = sorted({word[1:] for word in found if 4 <= len(word) <= 11})
    order = np.random.default_rng(0).permutation(len(chosen))[:words]

    def of(part: Array) -> Rows:
        rows = []
        for i in part:
            full = [0] * context + list(chosen[i]) + [0]
            rows += [full[j : j + context + 1] for j in range(len(full) - context)]
        table = np.array(rows, np.int64)
        return table[:, :-1], table[:, -1]

    return of(order[: words * 9 // 10]), of(order[words * 9 // 10 :])


@functools.cache
def made_cars(rows: int = 392) -> Rows:
    """Cars in Auto MPG's form: nine columns as they come, among them one of three origins, and
    miles per gallon.
    """
    rng = np.random.default_rng(0)
    cylinders = rng.choice([4, 6, 8], rows, p=[0.53, 0.22, 0.25])
    displacement = 28 * cylinders * rng.uniform(0.8, 1.3, rows)
    power = 38 + 0.32 * displacement + rng.normal(0, 12, rows)
    weight = 1500 + 7.5 * displacement + rng.normal(0, 250, rows)
    haste = 21.5 - 0.06 * power + rng.normal(0, 1.5, rows)
    year, origin = rng.integers(70, 83, rows), rng.choice(3, rows, p=[0.62, 0.18, 0.2])
    miles = 6e4 / (weight + 6 * power) + 0.7 * (year - 76) + 1.2 * (origin == 2)
    columns = [cylinders, displacement, power, weight, haste, year, *np.eye(3)[origin].T]
    y = (miles + rng.normal(0, 1.8, rows))[:, None]
    return np.stack(columns, 1).astype(np.float32), y.astype(np.float32)
