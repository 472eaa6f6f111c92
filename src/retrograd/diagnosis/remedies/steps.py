"""Remedies for the optimization: learning rate, optimizer, batches, epochs, early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from retrograd import optim
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.starved import FEW_EPOCHS
from retrograd.diagnosis.remedies.variants import Variants

__all__ = [
    "adam",
    "add_weight_decay",
    "clip_gradients",
    "early_stopping",
    "fewer_epochs",
    "larger_batch",
    "lower_learning_rate",
    "lower_weight_decay",
    "more_epochs",
    "raise_clip",
    "raise_learning_rate",
    "schedule",
    "shuffle",
    "smaller_batch",
    "warmup",
]


# The usual learning rate of each optimizer; those not listed use Adam's.
_USUAL_RATE = {"SGD": 0.05, "Adagrad": 0.05}
_DEFAULT_RATE = 1e-3


# The learning rate --------------------------------------------------------------------------------


def lower_learning_rate(program: Program, finding: Finding | None) -> Variants[Program]:
    """A tenth, a hundredth, and the usual rate if that is less than half of the current one; it
    comes first if it is less than a tenth.

    "if_high": not if the rate is near the usual one, which does not kill units.
    """
    rate, usual = _rate(program), _usual(program)
    if _asks(finding, "lower_learning_rate", "if_high") and rate <= 5 * usual:
        return []
    rates = sorted({rate / 10, rate / 100} | ({usual} if usual < rate / 2 else set()), reverse=True)
    if usual < rate / 10:
        rates.sort(key=lambda each: each != usual)
    return [_at_rate(program, each) for each in rates]


def raise_learning_rate(program: Program, finding: Finding | None) -> Variants[Program]:
    """Ten times, a hundred times, or the usual rate, which comes first if it is more than tenfold;
    "or_lower": ten times or a tenth."""
    rate, usual = _rate(program), _usual(program)
    either_way = _asks(finding, "raise_learning_rate", "or_lower")
    rates = [10 * rate, rate / 10 if either_way else 100 * rate]
    if usual > 2 * rate or (either_way and usual < rate / 2):
        rates.insert(0 if usual > 10 * rate else len(rates), usual)
    # Far above the usual rate, training diverges.
    highest = max(rate, 20 * usual)
    return [_at_rate(program, each) for each in dict.fromkeys(rates) if each <= highest]


def schedule(program: Program, finding: Finding | None) -> Variants[Program]:
    """The learning rate falls to 0 over the run, along a cosine."""
    steps = _steps(program)

    def cosine(optimizer: optim.Optimizer) -> optim.lr_scheduler.LRScheduler:
        return optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    return [("learning rate falls to 0 along a cosine", _scheduled(program, cosine))]


def warmup(program: Program, finding: Finding | None) -> Variants[Program]:
    """The learning rate rises from a hundredth over the first hundred steps."""
    steps = max(1, min(100, _steps(program) // 4))

    def linear(optimizer: optim.Optimizer) -> optim.lr_scheduler.LRScheduler:
        return optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=steps)

    return [(f"learning rate rises over the first {steps} steps", _scheduled(program, linear))]


def adam(program: Program, finding: Finding | None) -> Variants[Program]:
    """Adam with its usual learning rate; weight decay is kept."""
    if _name(program) in ("Adam", "AdamW"):
        return []
    kept = {k: v for k, v in program.options.items() if k == "weight_decay"}
    options = {"lr": _DEFAULT_RATE, **kept}
    changed = replace(program, optimizer=optim.Adam, options=options)
    return [(f"optimizer {_name(program)} -> Adam(lr={_DEFAULT_RATE:g})", changed)]


def _asks(finding: Finding | None, change: str, how: str) -> bool:
    return finding is not None and any(
        each.change == change and each.how == how for each in finding.remedies
    )


def _rate(program: Program) -> float:
    return float(program.options.get("lr", _DEFAULT_RATE))


def _usual(program: Program) -> float:
    return _USUAL_RATE.get(_name(program), _DEFAULT_RATE)


def _at_rate(program: Program, rate: float) -> tuple[str, Program]:
    rate = float(f"{rate:.3g}")
    changed = replace(program, options={**program.options, "lr": rate})
    return f"lr {_rate(program):g} -> {rate:g}", changed


def _name(program: Program) -> str:
    return getattr(program.optimizer, "__name__", type(program.optimizer).__name__)


def _steps(program: Program) -> int:
    rows = len(program.train.target)
    return program.epochs * max(1, rows // min(program.batch_size, rows))


def _scheduled(
    program: Program, make: Callable[[optim.Optimizer], optim.lr_scheduler.LRScheduler]
) -> Program:
    """The optimizer advances its schedule with each of its steps, in any loop."""
    build = program.optimizer

    def scheduled(parameters: Any, **options: Any) -> optim.Optimizer:
        optimizer = build(parameters, **options)
        plan, step = make(optimizer), optimizer.step

        def both(closure: Callable[[], Any] | None = None) -> Any:
            loss = step(closure)
            plan.step()
            return loss

        optimizer.step = both  # type: ignore[method-assign]  # this one optimizer's only
        return optimizer

    return replace(program, optimizer=scheduled)


# Clipping, batches, epochs ------------------------------------------------------------------------


def clip_gradients(program: Program, finding: Finding | None) -> Variants[Program]:
    """Clip the norm of the gradient at 1, or at a tenth of the current limit."""
    norm = 1.0 if program.clip_norm is None else min(1.0, program.clip_norm / 10)
    return [(f"clip_norm {program.clip_norm} -> {norm:g}", replace(program, clip_norm=norm))]


def raise_clip(program: Program, finding: Finding | None) -> Variants[Program]:
    """Ten times the limit, a hundred times, or no limit."""
    if program.clip_norm is None:
        return []
    limits = [10 * program.clip_norm, 100 * program.clip_norm, None]
    return [
        (f"clip_norm {program.clip_norm:g} -> {limit}", replace(program, clip_norm=limit))
        for limit in limits
    ]


def larger_batch(program: Program, finding: Finding | None) -> Variants[Program]:
    """Four and sixteen times as many rows, if enough steps are left."""
    largest = len(program.train.target) // 8
    sizes = [size for size in (4 * program.batch_size, 16 * program.batch_size) if size <= largest]
    return [_with_batch(program, size) for size in sizes]


def smaller_batch(program: Program, finding: Finding | None) -> Variants[Program]:
    """A quarter or a sixteenth of the rows, or 32."""
    size = min(program.batch_size, len(program.train.target))
    sizes = {max(8, size // 4), max(8, size // 16), 32}
    return [_with_batch(program, each) for each in sorted(sizes, reverse=True) if each < size]


def _with_batch(program: Program, size: int) -> tuple[str, Program]:
    return f"batch_size {program.batch_size} -> {size}", replace(program, batch_size=size)


def more_epochs(program: Program, finding: Finding | None) -> Variants[Program]:
    """Three times as many epochs, and three times the patience; of few epochs also ten times."""
    found = []
    for times in (3, 10) if program.epochs < FEW_EPOCHS else (3,):
        patience = program.patience and times * program.patience
        changed = replace(program, epochs=times * program.epochs, patience=patience)
        found.append((f"epochs {program.epochs} -> {changed.epochs}", changed))
    return found


def fewer_epochs(program: Program, finding: Finding | None) -> Variants[Program]:
    """Half and a quarter of the epochs."""
    counts = sorted({max(1, program.epochs // 2), max(1, program.epochs // 4)}, reverse=True)
    return [
        (f"epochs {program.epochs} -> {count}", replace(program, epochs=count))
        for count in counts
        if count < program.epochs
    ]


def early_stopping(program: Program, finding: Finding | None) -> Variants[Program]:
    """Stop once the validation loss has not fallen for a tenth of the epochs; keep the best."""
    patience = max(3, math.ceil(program.epochs / 10))
    if program.patience is not None and program.patience <= patience:
        return []
    return [(f"patience {program.patience} -> {patience}", replace(program, patience=patience))]


def shuffle(program: Program, finding: Finding | None) -> Variants[Program]:
    """Shuffle the rows in each epoch."""
    return [] if program.shuffle else [("shuffle=True", replace(program, shuffle=True))]


# Weight decay -------------------------------------------------------------------------------------


def add_weight_decay(program: Program, finding: Finding | None) -> Variants[Program]:
    """AdamW with a decay of 0.1 or 1; for SGD a decay of 0.001 or 0.01."""
    name, options = _name(program), dict(program.options)
    if name == "SGD":
        decays = [1e-3, 1e-2]
        return [
            (f"weight_decay {options.get('weight_decay', 0):g} -> {decay:g}",
             replace(program, options={**options, "weight_decay": decay}))
            for decay in decays
        ]  # fmt: skip
    return [
        (f"AdamW(weight_decay={decay:g})",
         replace(program, optimizer=optim.AdamW,
                 options={"lr": _rate(program), "weight_decay": decay}))
        for decay in (0.1, 1.0)
    ]  # fmt: skip


def lower_weight_decay(program: Program, finding: Finding | None) -> Variants[Program]:
    """A hundredth of the decay, or none."""
    decay = program.options.get("weight_decay", 0.0)
    return [
        (f"weight_decay {decay:g} -> {each:g}",
         replace(program, options={**program.options, "weight_decay": each}))
        for each in ((decay / 100, 0.0) if decay else ())
    ]  # fmt: skip
