"""A small network here and in PyTorch with the same weights, and what PyTorch sees of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import retrograd as rg
from retrograd import nn, optim

LAYERS = ("0", "1", "2", "3", "4")


def network(n: Any = nn) -> Any:
    return n.Sequential(n.Linear(6, 16), n.ReLU(), n.Linear(16, 16), n.Tanh(), n.Linear(16, 1))


def batches(steps: int, rows: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((steps, rows, 6)).astype(np.float32)
    return x, (2 * x[..., :1] + x[..., 1:2] ** 2).astype(np.float32)


def ours(clip: float | None = None, lr: float = 0.01) -> tuple[nn.Module, Any, Any]:
    """The network, its optimizer and an uncompiled step."""
    rg.manual_seed(0)
    model = network()
    # A unit that is dead, and one at its bounds.
    model[0].bias.data = np.where(np.arange(16) == 3, -100, 0).astype(np.float32)
    model[2].bias.data = np.where(np.arange(16) == 5, 10, 0).astype(np.float32)
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.mse_loss(model(x), y)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        return loss

    return model, optimizer, step


def theirs(
    state: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, clip: float | None, lr: float = 0.01
) -> list[dict[tuple[str, str], float]]:
    """What PyTorch's hooks see in each step: (series, subject) to number."""
    model = network(torch.nn)
    model.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    outputs: dict[str, torch.Tensor] = {}
    for name, layer in model.named_children():
        layer.register_forward_hook(lambda _l, _i, out, name=name: outputs.update({name: out}))
    seen, last = [], None
    for xs, ys in zip(x, y, strict=True):
        optimizer.zero_grad()
        prediction = model(torch.tensor(xs))
        for each in outputs.values():
            each.retain_grad()
        loss = torch.nn.functional.mse_loss(prediction, torch.tensor(ys))
        loss.backward()
        grads = {name: p.grad.clone() for name, p in model.named_parameters()}
        before = {name: p.detach().clone() for name, p in model.named_parameters()}
        whole = torch.cat([g.flatten() for g in grads.values()]).double()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        clipped = torch.cat([p.grad.flatten() for p in model.parameters()])
        optimizer.step()
        row = {
            ("loss", ""): loss.item(),
            ("gradient_norm", ""): whole.norm().item(),
            ("clipped_norm", ""): clipped.norm().item(),
            ("learning_rate", ""): lr,
            ("batch_size", ""): len(xs),
        }
        if last is not None:
            row["gradient_dot", ""] = (whole @ last).item()
            row["gradient_square", ""] = ((whole @ whole + last @ last) / 2).item()
            row["gradient_cosine", ""] = (whole @ last / whole.norm() / last.norm()).item()
        last = whole
        for name, parameter in model.named_parameters():
            row["gradient_norm", name] = grads[name].norm().item()
            row["weight_norm", name] = before[name].norm().item()
            row["update_norm", name] = (parameter - before[name]).norm().item()
            row["update_ratio", name] = row["update_norm", name] / row["weight_norm", name]
        for name, out in outputs.items():
            row["mean", name] = out.mean().item()
            row["std", name] = out.std(correction=0).item()
            row["min", name] = out.min().item()
            row["max", name] = out.max().item()
            row["zeros", name] = (out == 0).float().mean().item()
            row["cotangent_norm", name] = out.grad.norm().item()
            row["cotangent_std", name] = out.grad.std(correction=0).item()
        row["at_bounds", "3"] = (outputs["3"].abs() >= 0.99).float().mean().item()
        seen.append(row)
    return seen
