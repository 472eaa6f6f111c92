"""Records as a recorder writes them, of trainings that never were: their numbers are a formula."""

from __future__ import annotations

import dataclasses
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.diagnosis.record.record import Layer, Part, Record, Weights
from retrograd.diagnosis.record.store import FolderStore, Store, row_type

EVERY, WINDOW = 16, 100


def make_record(
    store: Store | Path, steps: int = 200, depth: int = 4, fading: float = 0.5, end: str = "good"
) -> Record:
    """A network of `depth` layers, each of whose cotangents is `fading` times the next one's.

    `end` is "good", or "nan": the last tenth of the steps has no numbers.
    """
    store = FolderStore(store) if isinstance(store, Path) else store
    layers, weights = [], []
    for place in range(depth):
        name = f"{2 * place}"
        owned = (f"{name}.weight", f"{name}.bias")
        layers.append(Layer(name, "Linear", (32, 16), 1, 16, 32, False, None, owned))
        layers.append(Layer(f"{2 * place + 1}", "ReLU", (32, 16), 1, 16, 32, True, None, ()))
        shapes: tuple[tuple[int, ...], ...] = (16, 16), (16,)
        weights += [
            Weights(n, name, s, True, True, 0.0, 0.1, -0.3, 0.3, 0.0, 16)
            for n, s in zip(owned, shapes, strict=True)
        ]
    columns = _columns(layers, weights)
    part = Part(columns, tuple(layers), tuple(weights), "Adam", {"lr": 0.001}, WINDOW, EVERY)
    number = store.begin(dataclasses.asdict(part))
    rows = np.zeros(steps, row_type(len(columns)))
    rows["step"] = np.arange(1, steps + 1)
    for place, (series, subject) in enumerate(columns):
        rows["values"][:, place] = _values(series, subject, steps, depth, fading)
    if end == "nan":
        rows["values"][-(steps // 10) :] = np.nan
    store.append(number, rows)
    for epoch in range(1, 11):
        step = epoch * steps // 10
        store.add_line("epochs", _epoch(epoch, step))
        if epoch in (1, 3, 6, 10):
            for each in weights:
                store.add_line("histograms", _histogram(step, "weight", each.name))
            for layer in layers:
                store.add_line("histograms", _histogram(step, "activation", layer.name))
    store.write_facts({})
    return Record(store)


def _columns(layers: list[Layer], weights: list[Weights]) -> tuple[tuple[str, str], ...]:
    step = ("loss", "gradient_norm", "clipped_norm", "learning_rate", "batch_size")
    noise = ("gradient_cosine", "gradient_dot", "gradient_square")
    of_layer = ("cotangent_norm", "mean", "std", "min", "max", "zeros", "at_bounds")
    columns = [(name, "") for name in step + noise]
    for layer in layers:
        columns += [(name, layer.name) for name in of_layer]
        columns += [("dead", layer.name)] if layer.rectifies else []
    for each in weights:
        columns += [(n, each.name) for n in ("gradient_norm", "weight_norm", "update_norm")]
    return tuple(columns)


def _values(series: str, subject: str, steps: int, depth: int, fading: float) -> Any:
    t = np.arange(steps) / steps
    rng = np.random.default_rng(zlib.crc32(f"{series} {subject}".encode()))
    noise = np.exp(rng.normal(0, 0.1, steps))
    behind = 2 * depth - 1 - int(subject.split(".")[0]) if subject else 0
    fade = fading ** (behind / 2)
    scheduled = (np.arange(steps) % EVERY) < 2
    if series == "loss":
        return (np.exp(-3 * t) + 0.05) * noise
    if series == "learning_rate":
        return 1e-3 * np.minimum(20 * t, 1) * (1 - t)
    if series == "batch_size":
        return np.full(steps, 32.0)
    if series in ("cotangent_norm", "gradient_norm", "clipped_norm"):
        return 0.1 * fade * np.exp(-2 * t) * noise
    if series == "weight_norm":
        return 2 + t
    if series == "update_norm":
        return 0.003 * fade * noise
    if series == "dead":
        return np.minimum(0.1 + 0.3 * t, 1)
    return np.where(scheduled, _SCHEDULED.get(series, 0.0) * noise, np.nan)


_SCHEDULED = {
    "gradient_cosine": 0.2, "gradient_dot": 1e-3, "gradient_square": 1.5e-3,
    "mean": 0.1, "std": 0.8, "min": -2.0, "max": 2.0, "zeros": 0.4,
}  # fmt: skip


def _epoch(epoch: int, step: int) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "step": step,
        "train_loss": 2.0**-epoch + 0.05,
        "validation_loss": 2.0**-epoch + 0.1,
        "scores": {"r2": 1 - 2.0**-epoch},
        "best": True,
    }


def _histogram(step: int, kind: str, subject: str) -> dict[str, Any]:
    edges = np.linspace(-3, 3, 33)
    counts = 1000 * np.exp(-((edges[:-1] + edges[1:]) ** 2) / (0.5 + step / 100))
    return {
        "step": step, "kind": kind, "subject": subject, "low": -3.0, "high": 3.0,
        "counts": counts.astype(int).tolist(),
    }  # fmt: skip
