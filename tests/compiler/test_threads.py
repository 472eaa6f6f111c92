"""A step in one thread and a prediction in another never meet memory that is being reused."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim


@pytest.mark.parametrize("look", ["compiled", "eager"])
@pytest.mark.parametrize("width", [4, 300])  # small Variables travel as one array
def test_a_step_trains_while_another_thread_predicts(look: str, width: int) -> None:
    model = nn.Sequential(nn.Linear(width, width), nn.Linear(width, 1))
    optimizer = optim.SGD(model.parameters(), lr=1e-4)
    x, y = np.ones((8, width), np.float32), np.ones((8, 1), np.float32)

    @rg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    def predict(x: Any) -> Any:
        with rg.no_grad():
            return model(rg.Tensor(x))

    serve = rg.compile(predict) if look == "compiled" else predict
    step(x, y)
    serve(x)
    failures: list[BaseException] = []
    done = threading.Event()

    def train() -> None:
        try:
            for _ in range(150):
                step(x, y)
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=train)
    thread.start()
    while not done.is_set():
        assert np.isfinite(serve(x).numpy()).all()
    thread.join()
    assert not failures
