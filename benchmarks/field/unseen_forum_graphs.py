"""Questions of users about gradients that do not arrive: cut graphs, lost parameters, signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import adam, explained
from collection import faulty
from data import digits, trained
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]


@faulty(
    "csa-cdgan-5-detached-fakes",
    source="https://github.com/wangle53/CSA-CDGAN/issues/5",
    shape="GAN",
    faults=("the generator's loss is computed from detached outputs",),
    right=("RG214",),
)
def detached_fakes() -> Pair:
    """A generator and a discriminator of points in the plane; only one of them can learn."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(1000, 4)).astype(np.float32)
    real = (np.array([2.0, -1.0]) + rng.normal(size=(1000, 2)) * [0.5, 1.0]).astype(np.float32)

    def score(predict: Predict) -> float:
        made = predict(noise)
        off = np.abs(made.mean(0) - real.mean(0)) + np.abs(made.std(0) - real.std(0))
        return float(1 - off.mean())

    def game(cut: bool) -> Training:
        judges: list[nn.Module] = []

        def model() -> nn.Module:
            layers = [nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)]
            judges[:] = [nn.Sequential(*layers)]
            return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))

        def fooled(fake: Any, target: Any) -> Any:
            return rg.softplus(-judges[0](fake.detach() if cut else fake)).mean()

        def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
            judge = judges[0]
            judging = optim.Adam(judge.parameters(), lr=2e-3, betas=(0.5, 0.999))

            @rg.compile
            def judge_step(noise: Any, real: Any) -> None:
                judging.zero_grad()
                good, bad = judge(real), judge(model(noise).detach())
                (rg.softplus(-good).mean() + rg.softplus(bad).mean()).backward()
                judging.step()

            @rg.compile
            def step(noise: Any, real: Any) -> None:
                optimizer.zero_grad()
                fooled(model(noise), real).backward()
                optimizer.step()

            for _ in range(1000):
                chosen = rng.integers(0, 1000, (2, 64))
                judge_step(noise[chosen[0]], real[chosen[1]])
                step(noise[chosen[0]], real[chosen[1]])

        return Training(
            model=model,
            train=(noise, real),
            loss=fooled,
            optimizer=lambda parameters: optim.Adam(parameters, lr=2e-3, betas=(0.5, 0.999)),
            score=score,
            well=0.6,
            epochs=60,
            batch_size=64,
            fit=fit,
        )

    return game(True), game(False)


@faulty(
    "transfer-nlp-14-new-last-layer",
    source="https://github.com/feedly/transfer-nlp/pull/14",
    shape="fine-tuning",
    faults=("the optimizer was made before the last layer was replaced",),
    right=("RG213",),
)
def new_last_layer() -> Pair:
    """A network of the digits 0 to 4, frozen, with a new last layer for the digits 5 to 9."""
    (x, y), (x_valid, y_valid) = digits()
    valid = x_valid[y_valid > 4], y_valid[y_valid > 4] - 5

    def tuned(late: bool) -> Training:
        old: list[nn.Parameter] = []

        def model() -> nn.Module:
            hidden = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 48), nn.ReLU()]
            first = nn.Sequential(*hidden, nn.Linear(48, 5))
            trained(first, (x[y < 5], y[y < 5]), nn.cross_entropy, 8)
            old[:] = first[4].parameters()
            for parameter in first.parameters():
                parameter.requires_grad = False
            return nn.Sequential(*hidden, nn.Linear(48, 5))

        return Training(
            model=model,
            train=(x[y > 4], y[y > 4] - 5),
            valid=valid,
            loss=nn.cross_entropy,
            optimizer=lambda parameters: optim.Adam(
                [*parameters][-2:] if late else [*parameters][:-2] + old, lr=0.01
            ),
            score=lambda predict: float((predict(valid[0]).argmax(1) == valid[1]).mean()),
            well=0.85,
            epochs=60,
        )

    return tuned(False), tuned(True)


@faulty(
    "rl-lab-1-critic-broadcast",
    source="https://github.com/sunwuzhou03/reinforcement-learning-lab/issues/1",
    shape="reinforcement",
    faults=("the policy's log-density is not summed, so values (n, 1) meet targets (n, 4)",),
    right=("RG405",),
)
def critic_broadcast() -> Pair:
    """A critic of soft actor-critic, of eight state numbers and four actions, on stored steps."""
    rng = np.random.default_rng(0)
    state, action = rng.normal(size=(1500, 8)), rng.uniform(-1, 1, (1500, 4))
    reward = (state[:, :4] * action).sum(1, keepdims=True)
    log_density = -2 * (action - np.tanh(state[:, 4:])) ** 2
    x = np.hstack([state, action]).astype(np.float32)

    def critic(entropy: Array) -> Training:
        target = (reward + 0.99 * (2 - 0.2 * entropy)).astype(np.float32)
        exact = (reward + 0.99 * (2 - 0.2 * log_density.sum(1, keepdims=True))).astype(np.float32)
        return Training(
            model=lambda: nn.Sequential(
                nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
            ),
            train=(x[:1200], target[:1200]),
            loss=lambda output, target: ((output - target) ** 2).mean(),
            optimizer=adam(0.003),
            score=explained(x[1200:], exact[1200:]),
            well=0.85,
            epochs=25,
        )

    return critic(log_density), critic(log_density.sum(1, keepdims=True))


class Triplets(nn.Module):
    """The squared distances (rows, 2) of sequences from those alike and from others."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 8)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 8))

    def forward(self, one: Any, alike: Any, other: Any) -> Any:
        anchor, near, far = (self.layers(self.embedding(each)) for each in (one, alike, other))
        return rg.stack([rg.square(anchor - near).sum(1), rg.square(anchor - far).sum(1)], 1)


@faulty(
    "tensorflow-30199-triplet-of-equals",
    source="https://github.com/tensorflow/tensorflow/issues/30199",
    shape="contrastive",
    faults=("an anchor may equal its positive: the slope of the root of 0 is infinite",),
    right=("RG603", "RG602"),
)
def triplet_of_equals() -> Pair:
    """Vectors of short sequences of five letters under the triplet loss of distances."""
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 5, (2, 1500, 8))
    place, change = rng.integers(0, 8, 1500), rng.integers(1, 5, 1500)
    alike, unequal = one.copy(), one.copy()
    alike[np.arange(1500), place] += change * (rng.random(1500) < 0.8)
    unequal[np.arange(1500), place] += change
    valid = one[1200:], unequal[1200:] % 5, other[1200:]

    def triplets(near: Array) -> Training:
        return Training(
            model=Triplets,
            train=((one[:1200], near[:1200] % 5, other[:1200]), np.zeros(1200, np.float32)),
            loss=lambda output, target: rg.relu(
                rg.sqrt(output[:, 0]) - rg.sqrt(output[:, 1]) + 1 + target
            ).mean(),
            optimizer=adam(0.003),
            score=lambda predict: float((np.diff(predict(*valid))[:, 0] > 0).mean()),
            well=0.9,
            epochs=20,
        )

    return triplets(alike), triplets(unequal)


@faulty(
    "pytorch-a3c-30-policy-sign",
    source="https://github.com/ikostrikov/pytorch-a3c/issues/30",
    shape="reinforcement",
    faults=("the policy's loss with the sign of the paper, which ascends",),
    right=("RG407",),
)
def policy_sign() -> Pair:
    """A policy of three actions, drawn and judged anew in each step of a game of one move."""
    rng = np.random.default_rng(0)
    states = rng.normal(size=(1500, 6)).astype(np.float32)
    best = (states @ rng.normal(size=(6, 3))).argmax(1)
    drawn = rng.integers(0, 3, 1500)
    moves = np.stack([drawn, (drawn == best) - 1 / 3], 1).astype(np.float32)

    def policy(sign: float) -> Training:
        def loss(output: Any, target: Any) -> Any:
            chosen = (target[:, :1] == np.arange(3, dtype=np.float32)).astype(np.float32)
            log_share = (rg.log_softmax(output, dim=1) * chosen).sum(1)
            return sign * (log_share * target[:, 1]).mean()

        def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
            shares = rg.compile(lambda states: rg.softmax(model(states), dim=1))

            @rg.compile
            def step(states: Any, target: Any) -> None:
                optimizer.zero_grad()
                loss(model(states), target).backward()
                optimizer.step()

            for _ in range(600):
                seen = rng.integers(0, 1200, 32)
                edges = shares(states[seen]).numpy().cumsum(1)[:, :2]
                action = (rng.random((32, 1)) > edges).sum(1)
                reward = (action == best[seen]).astype(np.float32)
                step(states[seen], np.stack([action, reward - reward.mean()], 1).astype("f4"))

        return Training(
            model=lambda: nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3)),
            train=(states[:1200], moves[:1200]),
            loss=loss,
            optimizer=adam(0.005),
            score=lambda predict: float((predict(states[1200:]).argmax(1) == best[1200:]).mean()),
            well=0.8,
            epochs=16,
            fit=fit,
        )

    return policy(1.0), policy(-1.0)
