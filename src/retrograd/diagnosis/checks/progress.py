"""Checks of the learning curve: whether the loss falls, when it begins to fall, when it stops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import moving_mean
from retrograd.diagnosis.register import check


@check("RG206", reads=("record",))
def not_falling(case: Case) -> Iterator[Finding]:
    """RG206. The loss fell by less than 3 % from its first steps to its last.

    DeepLocalize (Wardat et al. 2021) and AutoTrainer (Zhang et al. 2021, "slow convergence") use 1
    to 5 %. In fine-tuning the loss may hardly fall in a good run, so only bad runs count. Without
    right answers a loss may rise and fall with an adversary's; it counts if it hardly moved.
    """
    if len(case.losses) < 20 or not np.isfinite(case.losses[-1]):
        return
    stood_still = case.lacks_answers and np.ptp(_smooth(case.losses)) < 0.03 * abs(case.losses[0])
    if case.fall < 0.03 and (case.fared_badly or stood_still):
        first, last = case.losses[0], float(np.mean(case.losses[-(len(case.losses) // 20) :]))
        yield finding(
            "RG206",
            f"The loss is {first:.4g} in the first step and {last:.4g} in the last.",
            steps=(int(case.steps[0]), int(case.steps[-1])),
            first=first,
            last=last,
        )


@check("RG207", reads=("record",))
def slow_start(case: Case) -> Iterator[Finding]:
    """RG207. The first fifth of the run made less than a twentieth of the whole fall."""
    curve = _smooth(case.losses)
    if len(curve) < 50 or case.fall < 0.1:
        return
    total = curve[0] - curve.min()
    fifth = len(curve) // 5
    if curve[0] - curve[: fifth + 1].min() < 0.05 * total:
        begins = int(np.argmax(curve < curve[0] - 0.05 * total))
        yield finding(
            "RG207",
            f"The loss stayed at {curve[0]:.4g} until about step {case.steps[begins]}.",
            steps=(int(case.steps[0]), int(case.steps[begins])),
            loss=curve[0],
        )


@check("RG208", reads=("record",))
def plateau(case: Case) -> Iterator[Finding]:
    """RG208. The second half of the run lowered the remaining loss by less than 1 %.

    Only if more than a third of the initial loss is left; AutoTrainer has a similar condition.
    """
    curve = _smooth(case.losses)
    if len(curve) < 50 or case.fall < 0.03:  # as it is if the last loss is not finite
        return
    middle = curve[len(curve) // 2]
    gained = (middle - curve[-1]) / max(abs(middle), 1e-12)
    if abs(gained) < 0.01 and curve[-1] > curve[0] / 3 > 0:
        yield finding(
            "RG208",
            f"The loss is {middle:.4g} in the middle of the run and {curve[-1]:.4g} at its end.",
            severity="note",
            steps=(int(case.steps[len(curve) // 2]), int(case.steps[-1])),
            middle=middle,
            last=curve[-1],
        )


@check("RG216", reads=("record",))
def stopped_early(case: Case) -> Iterator[Finding]:
    """RG216. The last quarter of the run still made a tenth of the whole fall of the loss.

    Judged by the validation loss over epochs; with fewer than four epochs, by the loss over steps.
    A converged exponential curve makes less than 5 % of its fall there. A note if simple models do
    no better.
    """
    curve, what = case.epoch_losses("validation_loss"), "epochs"
    if len(curve) < 4:
        curve, what = _smooth(case.losses), "steps"
        if len(curve) < 20 or not case.fared_badly:
            return
    quarter = len(curve) // 4
    if not np.isfinite(curve).all() or curve.argmin() < len(curve) - 1 - quarter // 2:
        return
    before, least = float(curve[-1 - quarter]), float(curve.min())
    total = float(curve.max()) - least
    if before - least > max(0.1 * total, 0.03 * abs(float(curve[-1]))):
        yield finding(
            "RG216",
            f"In the last {quarter} of {len(curve)} {what} the loss fell from {before:.4g} to "
            f"{least:.4g}, {(before - least) / total:.0%} of its whole fall.",
            severity=None if case.fared_badly else "note",
            share=(before - least) / total,
        )


def _smooth(losses: np.ndarray) -> np.ndarray:
    """A running mean over a twentieth of the steps, one value per step."""
    losses = losses[np.isfinite(losses)]
    return moving_mean(losses, max(1, len(losses) // 20))
