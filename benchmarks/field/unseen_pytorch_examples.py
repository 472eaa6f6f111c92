"""Programs of pytorch/examples: images, polynomials, sentence pairs, graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import accuracy
from collection import healthy
from data import cited_papers, mixed_mnist
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]

EXAMPLES = "https://github.com/pytorch/examples/tree/main"


@healthy(
    "pytorch-examples-mnist-hogwild", source=f"{EXAMPLES}/mnist_hogwild/main.py", shape="classes"
)
def mnist_hogwild() -> Training:
    """Two convolutions before pooling and ReLU, dropout of channels and units, momentum of 0.5."""
    train, valid = (
        (((x[:, None] - 0.1307) / 0.3081).astype(np.float32), y) for x, y in mixed_mnist(2560)
    )

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 10, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 20, 5),
            nn.Dropout2d(),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(320, 50),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(50, 10),
            nn.LogSoftmax(dim=1),
        )

    return Training(
        model=model,
        train=train,
        loss=nn.nll_loss,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.01, momentum=0.5),
        score=accuracy(valid),
        well=0.85,
        epochs=10,
        batch_size=64,
        valid=valid,
    )


@healthy("pytorch-examples-regression", source=f"{EXAMPLES}/regression/main.py", shape="one output")
def polynomial_regression() -> Training:
    """A polynomial of the fourth degree from fresh noise-free rows, until the loss is below 0.001.

    Gradient descent by hand in the original: here by an optimizer at the same rate of 0.1.
    """
    rng = np.random.default_rng(0)
    weights, bias = 5 * rng.normal(size=(4, 1)), 5 * rng.normal()

    def rows(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
        x = rng.normal(size=(count, 1)) ** np.arange(1, 5)
        return x.astype(np.float32), (x @ weights + bias).astype(np.float32)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(x: Array, y: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = nn.smooth_l1_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(20_000):
            if step(*rows(32, rng)).item() < 1e-3:
                break

    x, y = rows(320, rng)
    return Training(
        model=lambda: nn.Linear(4, 1),
        train=(x, y),
        loss=nn.smooth_l1_loss,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.1),
        score=lambda predict: float(1 - ((predict(x) - y) ** 2).mean() / y.var()),
        well=0.99,
        epochs=2000,
        batch_size=32,
        fit=fit,
    )


class VAE(nn.Module):
    """Pixels -> the image made again, the code's means, and its log-variances, side by side."""

    def __init__(self, pixels: int, hidden: int, code: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(pixels, hidden)
        self.fc21 = nn.Linear(hidden, code)
        self.fc22 = nn.Linear(hidden, code)
        self.fc3 = nn.Linear(code, hidden)
        self.fc4 = nn.Linear(hidden, pixels)

    def forward(self, x: Any) -> rg.Tensor:
        hidden = rg.relu(self.fc1(x))
        mean, log_variance = self.fc21(hidden), self.fc22(hidden)
        code = mean + rg.exp(0.5 * log_variance) * rg.random.normal(mean.shape)
        made = rg.sigmoid(self.fc4(rg.relu(self.fc3(code))))
        return rg.concatenate([made, mean, log_variance], 1)


@healthy("pytorch-examples-vae", source=f"{EXAMPLES}/vae/main.py", shape="autoencoder")
def vae() -> Training:
    """A variational autoencoder: the sum of binary cross-entropies, and the divergence."""
    (x, _), (x_valid, _) = ((x.reshape(-1, 784), y) for x, y in mixed_mnist(2048))

    def loss(output: Any, target: Any) -> Any:
        made, mean, log_variance = output[:, :784], output[:, 784:800], output[:, 800:]
        kept = nn.binary_cross_entropy(made, target, reduction="sum")
        return kept - 0.5 * (1 + log_variance - mean**2 - rg.exp(log_variance)).sum()

    def score(predict: Predict) -> float:
        made = predict(x_valid)[:, :784]
        return float(1 - ((made - x_valid) ** 2).mean() / x_valid.var(0).mean())

    return Training(
        model=lambda: VAE(784, 200, 16),
        train=(x, x),
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-3),
        score=score,
        well=0.4,
        epochs=25,
        batch_size=128,
        valid=(x_valid, x_valid),
    )


class Inference(nn.Module):
    """A premise and a hypothesis, read by one LSTM -> entailment, neutral or contradiction."""

    def __init__(self, words: int, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.projection = nn.Linear(width, width)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        layers: list[nn.Module] = [nn.Dropout(0.2)]
        for _ in range(3):
            layers += [nn.Linear(2 * width, 2 * width), nn.ReLU(), nn.Dropout(0.2)]
        self.out = nn.Sequential(*layers, nn.Linear(2 * width, 3))

    def read(self, words: Any) -> rg.Tensor:
        _, (last, _) = self.encoder(rg.relu(self.projection(self.embed(words))))
        return last[0]

    def forward(self, premise: Any, hypothesis: Any) -> rg.Tensor:
        return self.out(rg.concatenate([self.read(premise), self.read(hypothesis)], 1))


@healthy("pytorch-examples-snli", source=f"{EXAMPLES}/snli", shape="classes")
def snli() -> Training:
    """Sentence pairs to three classes: who does what where, then less, other, or against it."""
    rng = np.random.default_rng(0)
    rows = 2400
    who, what, where = rng.integers(0, 6, (3, rows))
    premise = np.stack([who + 3, what + 9, where + 15], 1)
    kind = rng.integers(0, 3, rows)
    told = np.choose(kind, [what + 9, rng.integers(0, 6, rows) + 21, (what + 3) % 6 + 9])
    hypothesis = np.stack([who + 3, told, np.zeros(rows, np.int64)], 1)
    train, valid = slice(0, 1920), slice(1920, None)

    def score(predict: Predict) -> float:
        return float((predict(premise[valid], hypothesis[valid]).argmax(1) == kind[valid]).mean())

    return Training(
        model=lambda: Inference(27),
        train=((premise[train], hypothesis[train]), kind[train]),
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.001),
        score=score,
        well=0.9,
        epochs=25,
        batch_size=64,
        valid=((premise[valid], hypothesis[valid]), kind[valid]),
    )


class GCN(nn.Module):
    """Nodes -> log-probabilities; two graph convolutions over the whole graph, then the rows."""

    def __init__(self, bag: Array, graph: Array, hidden: int, classes: int) -> None:
        super().__init__()
        degree = graph.sum(1) ** -0.5
        self.bag = rg.Buffer(bag)
        self.graph = rg.Buffer(degree[:, None] * graph * degree)
        self.kernel1 = rg.Parameter(np.zeros((bag.shape[1], hidden), np.float32))
        self.kernel2 = rg.Parameter(np.zeros((hidden, classes), np.float32))
        for kernel in (self.kernel1, self.kernel2):
            nn.init.xavier_normal_(kernel)
        self.dropout = nn.Dropout(0.5)

    def forward(self, nodes: Any) -> rg.Tensor:
        x = rg.relu(self.graph @ (self.bag @ self.kernel1))
        x = self.graph @ (self.dropout(x) @ self.kernel2)
        return rg.log_softmax(x, dim=1)[rg.Tensor(nodes)]


@healthy("pytorch-examples-gcn", source=f"{EXAMPLES}/gcn/main.py", shape="other")
def gcn() -> Training:
    """The fields of papers from words and citations, 228 nodes known, all of them in each step."""
    bag, graph, fields = cited_papers()
    order = np.random.default_rng(0).permutation(len(bag))
    train, valid = ((nodes, fields[nodes]) for nodes in (order[:228], order[228:]))
    return Training(
        model=lambda: GCN(bag, graph, 16, 4),
        train=train,
        loss=nn.nll_loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.01, weight_decay=5e-4),
        score=accuracy(valid),
        well=0.75,
        epochs=200,
        batch_size=228,
        valid=valid,
    )


class AttentionLayer(nn.Module):
    """Each node's mean of its neighbours, by weights from both, averaged over the heads."""

    def __init__(self, n_in: int, n_out: int, heads: int) -> None:
        super().__init__()
        self.weight = rg.Parameter(np.zeros((n_in, n_out * heads), np.float32))
        self.attend = rg.Parameter(np.zeros((heads, 2 * n_out, 1), np.float32))
        nn.init.xavier_normal_(self.weight)
        nn.init.xavier_normal_(self.attend)
        self.dropout = nn.Dropout(0.6)
        self.heads, self.width = heads, n_out

    def forward(self, x: rg.Tensor, graph: rg.Tensor) -> rg.Tensor:
        h = self.dropout(x @ self.weight).reshape(len(x), self.heads, self.width)
        h = rg.permute(h, (1, 0, 2))
        own, other = h @ self.attend[:, : self.width], h @ self.attend[:, self.width :]
        scores = nn.functional.leaky_relu(own + rg.transpose(other, 1, 2), 0.2)
        weights = rg.softmax(rg.where(graph > 0, scores, -9e16), dim=-1)
        return (self.dropout(weights) @ h).mean(0)


class GAT(nn.Module):
    """Nodes -> log-probabilities by two layers of attention over the graph."""

    def __init__(self, bag: Array, graph: Array, hidden: int, heads: int, classes: int) -> None:
        super().__init__()
        self.bag, self.graph = rg.Buffer(bag), rg.Buffer(graph)
        self.gat1 = AttentionLayer(bag.shape[1], hidden, heads)
        self.gat2 = AttentionLayer(hidden, classes, 1)

    def forward(self, nodes: Any) -> rg.Tensor:
        x = nn.functional.elu(self.gat1(self.bag, self.graph))
        return rg.log_softmax(self.gat2(x, self.graph), dim=1)[rg.Tensor(nodes)]


@healthy("pytorch-examples-gat", source=f"{EXAMPLES}/gat/main.py", shape="other")
def gat() -> Training:
    """The fields of papers by attention over citations, averaged over the heads."""
    bag, graph, fields = cited_papers(256)
    order = np.random.default_rng(0).permutation(len(bag))
    train, valid = ((nodes, fields[nodes]) for nodes in (order[:128], order[128:]))
    return Training(
        model=lambda: GAT(bag, graph, 32, 2, 4),
        train=train,
        loss=nn.nll_loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.005, weight_decay=5e-4),
        score=accuracy(valid),
        well=0.7,  # logistic regression on words averaged over the graph twice has 0.73
        epochs=300,
        batch_size=128,
        valid=valid,
    )
