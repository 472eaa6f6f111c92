"""Programs of DeepXDE and of well-known courses: equations, operators, densities, recurrence."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from collection import healthy
from data import mixed_mnist
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]

DEEPXDE = "https://github.com/lululxvi/deepxde/blob/master/examples"


def adam(lr: float) -> Callable[[Any], optim.Optimizer]:
    """Adam, made for the parameters that come."""
    return lambda parameters: optim.Adam(parameters, lr=lr)


def explained(output: Array, target: Array) -> float:
    """The share of the target's variance that the output explains."""
    return float(1 - ((output - target) ** 2).mean() / target.var())


def tanh_net(*widths: int) -> nn.Sequential:
    """Linear layers by Glorot's uniform distribution, tanh between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.Tanh()]
        nn.init.xavier_uniform_(layers[-2].weight)
        nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers[:-1])


class WithSlopes(nn.Module):
    """x (rows, 1) -> the network's outputs, their first and their second derivatives in x."""

    def __init__(self, net: nn.Sequential, outputs: int) -> None:
        super().__init__()
        self.net = net
        self.outputs = outputs

    def forward(self, x: Any) -> rg.Tensor:
        values, firsts, seconds = [], [], []
        for i in range(self.outputs):

            def slope(at: Any, i: int = i) -> Any:
                value, pull = rg.vjp(lambda z: self.net(z)[:, i : i + 1], at)
                (first,) = pull(np.ones((len(x), 1), np.float32))
                return first.sum(), (value, first)

            second, (value, first) = rg.grad(slope, has_aux=True)(x)
            values.append(value)
            firsts.append(first)
            seconds.append(second)
        return rg.concatenate([*values, *firsts, *seconds], 1)


@healthy(
    "deepxde-poisson-1d-dirichlet",
    source=f"{DEEPXDE}/pinn_forward/Poisson_Dirichlet_1d.py",
    shape="physics-informed",
)
def poisson() -> Training:
    """-u'' = pi^2 sin(pi x), 0 at both ends: 16 points within, two at the ends, 10,000 steps.

    The target says for each point the source and whether it is an end.
    """
    x = np.concatenate([np.linspace(-0.95, 0.95, 16), [-1.0, 1.0]]).astype(np.float32)[:, None]
    end = (np.abs(x) == 1).astype(np.float32)
    target = np.hstack([np.pi**2 * np.sin(np.pi * x), end]).astype(np.float32)

    def loss(output: Any, target: Any) -> Any:
        target = rg.Tensor(target)
        source, end = target[:, 0], target[:, 1]
        within = ((1 - end) * (output[:, 2] + source) ** 2).sum() / rg.maximum((1 - end).sum(), 1)
        return within + (end * output[:, 0] ** 2).sum() / rg.maximum(end.sum(), 1)

    tests = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    return Training(
        model=lambda: WithSlopes(tanh_net(1, 50, 50, 50, 1), 1),
        train=(x, target),
        loss=loss,
        optimizer=adam(0.001),
        score=lambda predict: explained(predict(tests)[:, :1], np.sin(np.pi * tests)),
        well=0.99,
        epochs=10_000,
        batch_size=18,
        shuffle=False,
    )


@healthy(
    "deepxde-ode-system", source=f"{DEEPXDE}/pinn_forward/ode_system.py", shape="physics-informed"
)
def ode_system() -> Training:
    """y1' = y2, y2' = -y1 from 0 to 10, by the equations at 35 times and the values at time 0.

    Training rows are times; the target is y at time 0, and whether the row is that time.
    """
    x = np.concatenate([[0.0], np.linspace(0, 10, 35)]).astype(np.float32)[:, None]
    start = np.zeros((36, 1), np.float32)
    start[0] = 1
    target = np.hstack([start * [0.0, 1.0], start]).astype(np.float32)

    def loss(output: Any, target: Any) -> Any:
        target = rg.Tensor(target)
        y1, y2, slope1, slope2 = (output[:, i] for i in range(4))
        equation = ((slope1 - y2) ** 2).mean() + ((slope2 + y1) ** 2).mean()
        apart = ((y1 - target[:, 0]) ** 2 + (y2 - target[:, 1]) ** 2) * target[:, 2]
        return equation + apart.sum()

    tests = np.linspace(0, 10, 100, dtype=np.float32)[:, None]
    truth = np.hstack([np.sin(tests), np.cos(tests)])
    return Training(
        model=lambda: WithSlopes(tanh_net(1, 50, 50, 50, 2), 2),
        train=(x, target),
        loss=loss,
        optimizer=adam(0.001),
        score=lambda predict: explained(predict(tests)[:, :2], truth),
        well=0.95,
        epochs=9000,
        batch_size=36,
        shuffle=False,
    )


class DeepONet(nn.Module):
    """A function at 20 sensors and a place -> the operator's value there, (rows, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = tanh_net(20, 40, 40)
        self.trunk = nn.Sequential(*tanh_net(1, 40, 40), nn.Tanh())
        self.bias = rg.Parameter(np.zeros(1, np.float32))

    def forward(self, function: Any, place: Any) -> rg.Tensor:
        both = self.branch(function) * self.trunk(place)
        return both.sum(1, keepdim=True) + self.bias


@healthy(
    "deepxde-deeponet-antiderivative",
    source=f"{DEEPXDE}/operator/antiderivative_unaligned.py",
    shape="numbers",
)
def deeponet() -> Training:
    """The antiderivative of smooth random functions at a random place, full batch by Adam."""

    def rows(count: int, seed: int) -> tuple[tuple[Array, Array], Array]:
        rng = np.random.default_rng(seed)
        waves = rng.normal(size=(2, count, 4)) / np.arange(1, 5)
        rate, sensors = np.pi * np.arange(1, 5), np.linspace(0, 1, 20)
        place = rng.random((count, 1))
        angles = sensors[:, None] * rate
        function = waves[0] @ np.sin(angles).T + waves[1] @ np.cos(angles).T
        integral = waves[0] * (1 - np.cos(place * rate)) + waves[1] * np.sin(place * rate)
        value = (integral / rate).sum(1, keepdims=True)
        return tuple(each.astype(np.float32) for each in (function, place)), value.astype(
            np.float32
        )

    train, valid = rows(600, 0), rows(200, 1)
    return Training(
        model=DeepONet,
        train=train,
        loss=nn.mse_loss,
        optimizer=adam(0.001),
        score=lambda predict: explained(predict(*valid[0]), valid[1]),
        well=0.95,
        epochs=5000,
        batch_size=600,
        valid=valid,
        shuffle=False,
    )


@healthy(
    "mixture-density-network",
    source="https://github.com/hardmaru/pytorch_notebooks/blob/master/mixture_density_networks.ipynb",
    shape="other",
)
def mixture_density() -> Training:
    """A curve turned on its side, many values for one x: five normal distributions by hand."""
    rng = np.random.default_rng(0)
    y = rng.uniform(-10.5, 10.5, (1000, 1))
    x = np.sin(0.75 * y) * 7 + y * 0.5 + rng.normal(size=(1000, 1))
    x, y = x.astype(np.float32), y.astype(np.float32)

    class Mixture(nn.Module):
        """x -> five shares, five deviations, five means, side by side."""

        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(1, 20), nn.Tanh())
            self.pi, self.sigma, self.mu = (nn.Linear(20, 5) for _ in range(3))

        def forward(self, x: Any) -> rg.Tensor:
            h = self.hidden(x)
            shares = rg.softmax(self.pi(h), dim=1)
            return rg.concatenate([shares, rg.exp(self.sigma(h)), self.mu(h)], 1)

    def likelihood(output: Any, target: Any) -> Any:
        shares, sigma, mu = output[:, :5], output[:, 5:10], output[:, 10:]
        density = np.float32(1 / np.sqrt(2 * np.pi)) / sigma
        return (shares * density * rg.exp(-0.5 * ((target - mu) / sigma) ** 2)).sum(1)

    def score(predict: Predict) -> float:
        return float(np.log(likelihood(rg.Tensor(predict(x)), y).numpy() + 1e-30).mean())

    return Training(
        model=Mixture,
        train=(x, y),
        loss=lambda output, target: -rg.log(likelihood(output, target)).mean(),
        optimizer=adam(1e-3),
        score=score,
        well=-2.5,  # one uniform distribution over all of y has -3.04
        epochs=6000,
        batch_size=1000,
        shuffle=False,
    )


class WaveRNN(nn.Module):
    """A sine (rows, time, 1) -> another curve of as many places; may carry a state on."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(1, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

    def carried(self, x: Any, state: Any) -> tuple[rg.Tensor, Any]:
        states, last = self.rnn(x, state)
        return self.out(states), last

    def forward(self, x: Any) -> rg.Tensor:
        return self.carried(x, None)[0]


@healthy(
    "morvan-rnn-sine-to-cosine",
    source="https://github.com/MorvanZhou/PyTorch-Tutorial/blob/master/tutorial-contents/403_RNN_regressor.py",
    shape="sequence",
)
def sine_to_cosine() -> Training:
    """Ten points of a sine to those of a cosine: one stretch a step, the state carried on."""

    def stretch(i: int) -> tuple[Array, Array]:
        t = np.linspace(i * np.pi, (i + 1) * np.pi, 10, dtype=np.float32)
        return np.sin(t)[None, :, None], np.cos(t)[None, :, None]

    def fit(model: Any, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(x: Array, y: Array, state: Any) -> rg.Tensor:
            optimizer.zero_grad()
            output, last = model.carried(x, state)
            nn.mse_loss(output, y).backward()
            optimizer.step()
            return last.detach()

        state = np.zeros((1, 1, 32), np.float32)
        for i in range(100):
            state = step(*stretch(i), state)

    def score(predict: Predict) -> float:
        """On ten stretches in one: only the first places have no past."""
        t = np.linspace(0, 10 * np.pi, 91, dtype=np.float32)
        found = predict(np.sin(t)[None, :, None])[0, 9:, 0]
        return explained(found, np.cos(t[9:]))

    x, y = (np.concatenate(parts) for parts in zip(*map(stretch, range(100)), strict=True))
    return Training(
        model=WaveRNN,
        train=(x, y),
        loss=nn.mse_loss,
        optimizer=adam(0.02),
        score=score,
        well=0.8,
        epochs=1,
        batch_size=1,
        shuffle=False,
        fit=fit,
    )


YUNJEY = "https://github.com/yunjey/pytorch-tutorial/tree/master/tutorials"


@healthy(
    "yunjey-linear-regression",
    source=f"{YUNJEY}/01-basics/linear_regression/main.py",
    shape="one output",
)
def linear_regression() -> Training:
    """A line through 15 points as they are, 60 steps at a rate of 0.001."""
    x = [3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59, 2.167, 7.042, 10.791, 5.313, 7.997]
    y = [1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53, 1.221, 2.827, 3.465, 1.65, 2.904]
    rows = tuple(np.array(each, np.float32)[:, None] for each in ([*x, 3.1], [*y, 1.3]))
    return Training(
        model=lambda: nn.Linear(1, 1),
        train=rows,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.001),
        score=lambda predict: explained(predict(rows[0]), rows[1]),
        well=0.5,
        epochs=60,
        batch_size=15,
        shuffle=False,
    )


class RowsLSTM(nn.Module):
    """Images as 28 rows of 28 pixels -> logits, from the last state of both directions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(28, width, 2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * width, 10)

    def forward(self, x: Any) -> rg.Tensor:
        return self.fc(self.lstm(x)[0][:, -1])


@healthy(
    "yunjey-recurrent-network",
    source=f"{YUNJEY}/02-intermediate/bidirectional_recurrent_neural_network/main.py",
    shape="sequence",
)
def recurrent_network() -> Training:
    """Images read row by row by two bidirectional LSTMs, Adam at 0.003."""
    train, valid = mixed_mnist(2000)
    return Training(
        model=lambda: RowsLSTM(32),
        train=train,
        loss=nn.cross_entropy,
        optimizer=adam(0.003),
        score=lambda predict: float((predict(valid[0]).argmax(1) == valid[1]).mean()),
        well=0.85,
        epochs=15,
        batch_size=100,
    )
