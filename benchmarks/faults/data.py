"""The data sets of the faulty programs: small parts of real ones, split and scaled."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from retrograd.diagnosis.remedies.program import Samples

# Set by the command line before the first data set is read.
FOLDER = Path("../shared/data")

Array = np.ndarray


@dataclass(frozen=True)
class Data:
    """A data set in three parts; `classes` is 0 for a regression. Inputs are float32."""

    name: str
    train: Samples
    valid: Samples
    test: Samples
    classes: int

    @property
    def task(self) -> str:
        return "classification" if self.classes else "regression"

    @property
    def width(self) -> int:
        """The size of the inputs' last axis."""
        return self.train.inputs.shape[-1]

    def change(self, inputs=None, target=None) -> Data:
        """The same with a function applied to the inputs, or the targets, of all three parts."""

        def changed(part: Samples) -> Samples:
            x, y = part
            return Samples(
                x if inputs is None else np.asarray(inputs(x), np.float32),
                y if target is None else target(y),
            )

        parts = (changed(each) for each in (self.train, self.valid, self.test))
        return Data(self.name, *parts, self.classes)

    def retrain(self, change) -> Data:
        """The same with the training examples changed by `change(inputs, target)`."""
        return replace(self, train=Samples(*change(*self.train)))

    def first(self, rows: int) -> Data:
        """The same with fewer training examples."""
        return self.retrain(lambda x, y: (x[:rows], y[:rows]))

    def keep_positives(self, share: float) -> Data:
        """The same with only a `share` of the examples of class 1 to train and watch on."""

        def fewer(part: Samples) -> Samples:
            x, y = part
            kept = (y == 0) | (np.random.default_rng(3).random(len(y)) < share)
            return Samples(x[kept], y[kept])

        return replace(self, train=fewer(self.train), valid=fewer(self.valid))


def split(name: str, x: Array, y: Array, rows: int, classes: int, ordered: bool = False) -> Data:
    """`rows` rows drawn at random; 60 % to train on, 20 % to watch, 20 % to score by.

    Rows in the order of time stay in it.
    """
    order = np.arange(len(y)) if ordered else np.random.default_rng(0).permutation(len(y))
    order = order[:rows]
    ends = (int(0.6 * len(order)), int(0.8 * len(order)))
    parts = (Samples(x[each], y[each]) for each in np.split(order, ends))
    return Data(name, *parts, classes)


def scaled(data: Data, inputs: bool = True, target: bool = True) -> Data:
    """Each column of the inputs, and a regression's target, with mean 0 and deviation 1."""
    x, y = data.train
    if inputs:
        mean, std = np.nanmean(x, 0), np.nanstd(x, 0)
        std = np.where(std > 0, std, 1)
        data = data.change(inputs=lambda x: (x - mean) / std)
    if target and not data.classes:
        middle, spread = y.mean(), y.std()
        data = data.change(target=lambda y: ((y - middle) / spread).astype(np.float32))
    return data


# Tables -------------------------------------------------------------------------------------------


def table(
    name: str, frame: pd.DataFrame, target: str, rows: int, classes: int = 0, fill: bool = True
) -> Data:
    """Numbers as they are, texts as indicators, gaps filled with the median."""
    y = frame[target].to_numpy()
    x = pd.get_dummies(frame.drop(columns=target), dtype=float)
    if fill:
        x = x.fillna(x.median())
    return split(
        name,
        x.to_numpy(np.float32),
        y.astype(np.int64 if classes else np.float32),
        rows,
        classes,
    )


@functools.cache
def penguins() -> Data:
    frame = pd.read_csv(FOLDER / "penguins/penguins.csv").dropna()
    frame["species"] = frame["species"].astype("category").cat.codes
    return table("penguins", frame.drop(columns=["island", "sex"]), "species", 400, 3)


@functools.cache
def wine(rows: int = 1600) -> Data:
    """White or red, from eleven measurements."""
    names = [f"measurement {i}" for i in range(11)] + ["quality"]
    read = functools.partial(pd.read_csv, names=names, header=None)
    red = read(FOLDER / "wine_quality/winequality-red.csv").assign(color=1)
    white = read(FOLDER / "wine_quality/winequality-white.csv").assign(color=0)
    frame = pd.concat([red, white]).drop(columns="quality")
    return table("wine", frame, "color", rows, 2)


@functools.cache
def abalone() -> Data:
    names = ["sex", *(f"measure {i}" for i in range(7)), "rings"]
    frame = pd.read_csv(FOLDER / "uci_abalone/abalone.csv", names=names, header=None)
    return table("abalone", frame, "rings", 1600)


@functools.cache
def titanic(fill: bool = True) -> Data:
    frame = pd.read_csv(FOLDER / "titanic/titanic.csv")
    kept = ["survived", "pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"]
    return table("titanic", frame[kept], "survived", 900, 2, fill)


@functools.cache
def german() -> Data:
    frame = pd.read_csv(FOLDER / "german_credit/german.csv", header=None)
    frame = frame.rename(columns={20: "good"}).assign(good=lambda f: (f["good"] == 1).astype(int))
    frame.columns = frame.columns.astype(str)
    return table("german", frame, "good", 1000, 2)


@functools.cache
def adult() -> Data:
    frame = pd.read_csv(FOLDER / "adult_income/train.csv")
    kept = ["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"]
    kept += ["marital_status", "relationship", "sex"]
    rich = (frame["income"] == ">50K").astype(int)
    return table("adult", frame[kept].assign(rich=rich), "rich", 16000, 2)


@functools.cache
def california() -> Data:
    frame = pd.read_csv(FOLDER / "california_housing/housing.csv")
    frame = frame.drop(columns="ocean_proximity")
    return table("california", frame, "median_house_value", 2000)


@functools.cache
def sacramento() -> Data:
    frame = pd.read_csv(FOLDER / "sacramento_homes/sacramento.csv")
    return table("sacramento", frame.drop(columns=["city", "zip"]), "price", 950)


@functools.cache
def diamonds() -> Data:
    frame = pd.read_csv(FOLDER / "diamonds/diamonds.csv")
    return table("diamonds", frame, "price", 2000)


@functools.cache
def letters() -> Data:
    frame = pd.read_csv(FOLDER / "mlbench_letter_recognition/letter_recognition.csv.gz")
    frame["lettr"] = frame["lettr"].astype("category").cat.codes
    return table("letters", frame, "lettr", 4000, 26)


# Images and sequences -----------------------------------------------------------------------------


@functools.cache
def digits() -> Data:
    """(rows, 64), from 0 to 1."""
    saved = np.load(FOLDER / "digits_8x8/digits.npz", allow_pickle=False)
    return split("digits", saved["X"].astype(np.float32) / 16, saved["y"], 1800, 10)


@functools.cache
def digit_images() -> Data:
    """(rows, 1, 8, 8)."""
    return digits().change(inputs=lambda x: x.reshape(-1, 1, 8, 8))


@functools.cache
def digit_rows() -> Data:
    """(rows, 8, 8): an image read line by line."""
    return digits().change(inputs=lambda x: x.reshape(-1, 8, 8))


@functools.cache
def mnist() -> Data:
    """(rows, 1, 14, 14): each pixel the mean of four, from 0 to 1."""
    saved = np.load(FOLDER / "mnist_5k/mnist_5k.npz", allow_pickle=False)
    pixels = saved["X"].reshape(-1, 14, 2, 14, 2).mean((2, 4), dtype=np.float32) / 255
    return split("mnist", pixels[:, None].astype(np.float32), saved["y"], 2000, 10)


@functools.cache
def mnist1d() -> Data:
    """(rows, 1, 40)."""
    saved = np.load(FOLDER / "mnist1d/mnist1d.npz", allow_pickle=False)
    return split("mnist1d", saved["x"].astype(np.float32)[:, None], saved["y"], 4000, 10)


@functools.cache
def temperatures() -> Data:
    """(rows, 20, 1): twenty days' minimum in Melbourne, and the next day's, scaled."""
    read = pd.read_csv(FOLDER / "time_series/daily-min-temperatures.csv")
    days = pd.to_numeric(read["Temp"].astype(str).str.strip("?")).to_numpy(np.float32)
    days = (days - days[:1000].mean()) / days[:1000].std()
    windows = np.lib.stride_tricks.sliding_window_view(days, 21)
    return split("temperatures", windows[:, :20, None].copy(), windows[:, 20].copy(), 2000, 0, True)
