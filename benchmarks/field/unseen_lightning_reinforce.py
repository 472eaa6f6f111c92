"""Deep Q-learning as in Lightning's example."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import CartPole, cart_pole_rows, cart_pole_steps
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


def squared_error(output: Any, target: Any) -> Any:
    """Between the value of the action that was taken and what was seen: (action, value)."""
    target = rg.Tensor(target)
    taken = nn.functional.one_hot(target[:, 0].astype("int64"), 2).astype("float32")
    return nn.mse_loss((output * taken).sum(1), target[:, 1])


@healthy(
    "lightning-reinforce-learning-dqn",
    source="https://github.com/Lightning-AI/tutorials/tree/main/lightning_examples/reinforce-learning-DQN",
    shape="reinforcement",
)
def lightning_dqn() -> Training:
    """Q-learning on batches of 16, Adam at 0.01, a target network copied every ten steps."""

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 2))

    def fit(net: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        frozen = model()
        frozen.load_state_dict(net.state_dict())
        world, memory = CartPole(rng), deque(maxlen=1000)

        @rg.compile
        def values(state: Array) -> rg.Tensor:
            with rg.no_grad():
                return net(state)

        @rg.compile
        def step(states: Array, actions: Array, following: Array, goes_on: Array) -> None:
            with rg.no_grad():
                best = frozen(following).amax(1)
            seen = goes_on * best.detach() * 0.99 + 1.0
            optimizer.zero_grad()
            squared_error(net(states), rg.stack([rg.Tensor(actions), seen], 1)).backward()
            optimizer.step()

        state, lasted = world.reset(), 0
        for count in range(12_000):
            chance = 1.0 if count < 1000 else max(0.01, 2 - count / 1000)
            greedy = rng.random() > chance
            action = values(state[None]).numpy().argmax() if greedy else rng.integers(0, 2)
            following, _, done = world.step(int(action))
            memory.append((state, float(action), following, float(not done)))
            state, lasted = following, lasted + 1
            if done or lasted == 200:
                state, lasted = world.reset(), 0
            if count < 1000:
                continue
            chosen = [memory[i] for i in rng.integers(0, len(memory), 16)]
            step(*(np.array(each, np.float32) for each in zip(*chosen, strict=True)))
            if count % 10 == 0:
                frozen.load_state_dict(net.state_dict())

    def score(predict: Predict) -> float:
        """The share of 200 steps for which the pole stands under the best actions."""
        return cart_pole_steps(lambda states: predict(states).argmax(1)) / 200

    return Training(
        model=model,
        train=cart_pole_rows(),
        loss=squared_error,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-2),
        score=score,
        well=0.5,
        epochs=100,
        batch_size=16,
        fit=fit,
    )
