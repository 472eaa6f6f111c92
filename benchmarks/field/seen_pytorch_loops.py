"""Programs with loops of their own: cart and pole, adversaries, local learning, a flow, physics."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from collection import healthy
from data import CartPole, cart_pole_rows, cart_pole_steps, mixed_mnist, standard_returns
from sklearn import datasets
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Adam = optim.Adam

EXAMPLES = "https://github.com/pytorch/examples/tree/main"


def stands(predict: Predict) -> float:
    """The share of 200 steps for which the pole stands under the likeliest actions."""
    return cart_pole_steps(lambda states: predict(states)[:, :2].argmax(1)) / 200


def policy_loss(output: Any, target: Any) -> Any:
    """-log of each taken action's probability, times its return: (action, return) in the target."""
    target = rg.Tensor(target)
    taken = nn.functional.one_hot(target[:, 0].astype("int64"), 2).astype("float32")
    return -(rg.log((output[:, :2] * taken).sum(1)) * target[:, 1]).sum()


def played(world: CartPole, choose: Callable[[Array], Array], rng: np.random.Generator) -> Any:
    """One episode of at most 200 steps: its states, and its actions drawn from probabilities."""
    state, states, actions, done = world.reset(), [], [], False
    while not done and len(states) < 200:
        states.append(state)
        actions.append(int(rng.random() < choose(state)[1]))
        state, _, done = world.step(actions[-1])
    return np.array(states), np.array(actions)


@healthy(
    "pytorch-examples-reinforce-cartpole",
    source=f"{EXAMPLES}/reinforcement_learning/reinforce.py",
    shape="reinforcement",
)
def reinforce_cartpole() -> Training:
    """REINFORCE: after each episode one step of Adam on the sum of log-probability times return."""

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Linear(4, 128), nn.Dropout(0.6), nn.ReLU(), nn.Linear(128, 2), nn.Softmax(dim=1)
        )

    def fit(policy: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        world, recent = CartPole(rng), deque([10.0], maxlen=20)

        @rg.compile
        def probabilities(state: Array) -> rg.Tensor:
            with rg.no_grad():
                return policy(state)

        @rg.compile
        def step(states: Array, target: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = policy_loss(policy(states), target)  # rows beyond the end have a return of 0
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(400):
            states, actions = played(
                world, lambda state: probabilities(state[None]).numpy()[0], rng
            )
            target = np.zeros((200, 2), np.float32)
            target[: len(actions)] = np.stack([actions, standard_returns(len(actions))], 1)
            step(np.pad(states, [(0, 200 - len(states)), (0, 0)]), target)
            recent.append(len(actions))
            if np.mean(recent) > 190:
                break

    return Training(
        model=model,
        train=cart_pole_rows(),
        loss=policy_loss,
        optimizer=lambda parameters: Adam(parameters, lr=1e-2),
        score=stands,
        well=0.75,
        epochs=400,
        batch_size=200,
        fit=fit,
    )


class ActorCritic(nn.Module):
    """States -> the probabilities of two actions, and the value of the state, (rows, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.affine = nn.Linear(4, 128)
        self.action = nn.Linear(128, 2)
        self.value = nn.Linear(128, 1)

    def forward(self, states: Any) -> rg.Tensor:
        x = rg.relu(self.affine(states))
        return rg.concatenate([rg.softmax(self.action(x), dim=1), self.value(x)], 1)


def actor_critic_loss(output: Any, target: Any) -> Any:
    """The advantage's policy loss and a smooth L1 loss of the value; a weight of 0 ends a row."""
    target = rg.Tensor(target)
    taken = nn.functional.one_hot(target[:, 0].astype("int64"), 2).astype("float32")
    returns, weight = target[:, 1], target[:, 2] if target.shape[1] > 2 else 1.0
    advantage = returns - output[:, 2].detach()
    actor = -rg.log((output[:, :2] * taken).sum(1)) * advantage
    critic = nn.smooth_l1_loss(output[:, 2], returns, reduction="none")
    return (weight * (actor + critic)).sum()


@healthy(
    "pytorch-examples-actor-critic-cartpole",
    source=f"{EXAMPLES}/reinforcement_learning/actor_critic.py",
    shape="reinforcement",
)
def actor_critic_cartpole() -> Training:
    """Actor and critic on one hidden layer, one step of Adam at 0.03 after each episode."""

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        world, average = CartPole(rng), 10.0

        @rg.compile
        def outputs(state: Array) -> rg.Tensor:
            with rg.no_grad():
                return model(state)

        @rg.compile
        def step(states: Array, target: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = actor_critic_loss(model(states), target)
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(600):
            states, actions = played(world, lambda state: outputs(state[None]).numpy()[0], rng)
            target = np.zeros((200, 3), np.float32)
            columns = actions, standard_returns(len(actions)), np.ones(len(actions))
            target[: len(actions)] = np.stack(columns, 1)
            step(np.pad(states, [(0, 200 - len(states)), (0, 0)]), target)
            average = 0.95 * average + 0.05 * len(actions)
            if average > 185:
                break

    return Training(
        model=ActorCritic,
        train=cart_pole_rows(),
        loss=actor_critic_loss,
        optimizer=lambda parameters: Adam(parameters, lr=3e-2),
        score=stands,
        well=0.75,
        epochs=600,
        batch_size=200,
        fit=fit,
    )


def td_loss(output: Any, target: Any) -> Any:
    """Smooth L1 between the value of the action taken and what was seen: (action, value)."""
    target = rg.Tensor(target)
    taken = nn.functional.one_hot(target[:, 0].astype("int64"), 2).astype("float32")
    return nn.smooth_l1_loss((output * taken).sum(1), target[:, 1])


@healthy(
    "pytorch-tutorials-cartpole-dqn",
    source="https://pytorch.org/tutorials/intermediate/reinforcement_q_learning.html",
    shape="reinforcement",
)
def cartpole_dqn() -> Training:
    """Q-learning from a replay memory, against a target network that follows slowly."""

    def model() -> nn.Module:
        layers = nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)
        return nn.Sequential(*layers)

    def fit(policy: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        follower = model()
        follower.load_state_dict(policy.state_dict())
        world, memory, steps = CartPole(rng), deque(maxlen=10_000), 0

        @rg.compile
        def values(state: Array) -> rg.Tensor:
            with rg.no_grad():
                return policy(state)

        @rg.compile
        def step(states: Array, actions: Array, following: Array, goes_on: Array) -> None:
            with rg.no_grad():
                best = follower(following).amax(1)
            seen = goes_on * best.detach() * 0.99 + 1.0
            optimizer.zero_grad()
            td_loss(policy(states), rg.stack([rg.Tensor(actions), seen], 1)).backward()
            nn.utils.clip_grad_value_(policy.parameters(), 100)
            optimizer.step()
            for slow, fast in zip(follower.parameters(), policy.parameters(), strict=True):
                slow.data = 0.005 * fast.data + 0.995 * slow.data

        for _ in range(300):
            state, done, lasted = world.reset(), False, 0
            while not done and lasted < 200:
                chance = 0.05 + 0.85 * np.exp(-steps / 1000)
                greedy = rng.random() > chance
                action = values(state[None]).numpy().argmax() if greedy else rng.integers(0, 2)
                following, _, done = world.step(int(action))
                memory.append((state, float(action), following, float(not done)))
                state, steps, lasted = following, steps + 1, lasted + 1
                if len(memory) >= 128:
                    chosen = [memory[i] for i in rng.integers(0, len(memory), 128)]
                    step(*(np.array(each, np.float32) for each in zip(*chosen, strict=True)))
            if steps > 8_000:
                break

    states, target = cart_pole_rows()
    return Training(
        model=model,
        train=(states, target),
        loss=td_loss,
        optimizer=lambda parameters: optim.AdamW(parameters, lr=3e-4, amsgrad=True),
        score=stands,
        well=0.5,
        epochs=300,
        batch_size=128,
        fit=fit,
    )


class ForwardForward(nn.Module):
    """Images -> the goodness of each layer, (rows, layers); no layer's error reaches another.

    A layer takes the direction of what it gets; its goodness is the mean square of what it gives.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(widths)])

    def forward(self, x: Any) -> rg.Tensor:
        h, goodness = rg.Tensor(x), []
        for layer in self.layers:
            h = h.detach()
            h = rg.relu(layer(h / (rg.sqrt((h**2).sum(1, keepdim=True)) + 1e-4)))
            goodness.append((h**2).mean(1))
        return rg.stack(goodness, 1)


@healthy(
    "pytorch-examples-forward-forward",
    source=f"{EXAMPLES}/mnist_forward_forward/main.py",
    shape="contrastive",
)
def forward_forward() -> Training:
    """Layers learn alone to be active for images with the right class written in, full batch."""
    (x, y), valid = ((x.reshape(-1, 784), y) for x, y in mixed_mnist(1000))
    rng = np.random.default_rng(0)

    def marked(images: Array, classes: Any) -> Array:
        images = ((images - 0.1307) / 0.3081).astype(np.float32)
        images[:, :10] = 0
        images[np.arange(len(images)), classes] = images.max()
        return images

    wrong = (y + rng.integers(1, 10, len(y))) % 10
    images = np.concatenate([marked(x, y), marked(x, wrong)])
    sign = np.repeat(np.array([1.0, -1.0], np.float32), len(y))

    def score(predict: Predict) -> float:
        goodness = [predict(marked(valid[0], label)).sum(1) for label in range(10)]
        return float((np.argmax(goodness, 0) == valid[1]).mean())

    def loss(output: Any, sign: Any) -> Any:
        """log(1 + exp(2 - goodness)) for right images, of goodness - 2 for wrong ones, by layer."""
        return rg.log1p(rg.exp(-rg.unsqueeze(rg.Tensor(sign), 1) * (output - 2))).mean(0).sum()

    return Training(
        model=lambda: ForwardForward((784, 200, 200)),
        train=(images, sign),
        loss=loss,
        optimizer=lambda parameters: Adam(parameters, lr=0.03),
        score=score,
        well=0.75,
        epochs=500,
        batch_size=len(sign),
    )


class RealNVP(nn.Module):
    """Points (rows, 2) -> the logarithm of their density (rows,), by six affine couplings."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()

        def net(last: list[nn.Module]) -> nn.Module:
            hidden = [nn.Linear(width, width), nn.LeakyReLU()]
            return nn.Sequential(
                nn.Linear(2, width), nn.LeakyReLU(), *hidden, nn.Linear(width, 2), *last
            )

        self.shifts = nn.ModuleList([net([]) for _ in range(6)])
        self.scales = nn.ModuleList([net([nn.Tanh()]) for _ in range(6)])

    def forward(self, x: Any) -> rg.Tensor:
        z, log_det = rg.Tensor(x), 0.0
        for i in reversed(range(6)):
            kept = np.array([i % 2, 1 - i % 2], np.float32)
            scale = self.scales[i](z * kept) * (1 - kept)
            shift = self.shifts[i](z * kept) * (1 - kept)
            z = (1 - kept) * (z - shift) * rg.exp(-scale) + z * kept
            log_det = log_det - scale.sum(1)
        return log_det - (z**2).sum(1) / 2 - float(np.log(2 * np.pi))


@healthy(
    "real-nvp-two-moons",
    source="https://github.com/senya-ashukha/real-nvp-pytorch",
    shape="other",
)
def real_nvp_two_moons() -> Training:
    """A normalizing flow fitted to fresh noisy moons by the mean log-density, 100 rows a step."""

    def moons(seed: int, rows: int) -> Array:
        x, _ = datasets.make_moons(rows, noise=0.05, random_state=seed)
        return x.astype(np.float32)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(x: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = -model(x).mean()
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(2000):
            step(moons(int(rng.integers(1 << 30)), 100))

    x = moons(0, 1000)
    return Training(
        model=RealNVP,
        train=(x, np.zeros(len(x), np.float32)),
        loss=lambda output, target: -output.mean(),
        optimizer=lambda parameters: Adam(parameters, lr=1e-4),
        score=lambda predict: float(predict(moons(1, 1000)).mean()),
        well=-1.5,  # one normal distribution has -1.87
        epochs=200,
        batch_size=100,
        fit=fit,
    )
