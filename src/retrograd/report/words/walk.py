"""The sentences of a walkthrough, the same on a page and in a terminal."""

from __future__ import annotations

from retrograd.kinds.table.walk_record import Guess, Outcome, Walkthrough
from retrograd.report.words.figures import figure, percent

__all__ = [
    "answered",
    "error_formula",
    "error_sentence",
    "outcome_sentence",
    "rate_sentence",
    "shown_guesses",
    "truth_text",
    "verdict",
]

_MOST_TERMS = 3


def truth_text(walk: Walkthrough) -> str:
    """The true value, formatted."""
    return figure(walk.truth, 5) if isinstance(walk.truth, float) else walk.truth


def answered(guess: Guess) -> str:
    """A prediction, formatted: a number or a class."""
    return figure(guess.answer, 5) if isinstance(guess.answer, float) else guess.answer


def verdict(walk: Walkthrough) -> str:
    """The whole walkthrough in two sentences."""
    first, last = walk.guesses[0], walk.guesses[-1]
    steps = len(walk.guesses) - 1
    start = (
        f"The model predicts {answered(first)} for {walk.target}; the truth is {truth_text(walk)}"
    )
    if first.confidence is None or last.confidence is None:
        start += f", so it is {_off(walk)}. "
        end = answered(last)
    else:
        start += f", to which it gives a probability of {percent(first.confidence)}. "
        end = f"{answered(last)}, and that probability to {percent(last.confidence)}"
    if walk.outcome is Outcome.FITS_ALREADY:
        return start + "That already fits; one step is shown anyway."
    if walk.outcome is Outcome.DIVERGED:
        return start + (
            f"A learning rate of {figure(walk.learning_rate)} is too high: the loss diverged."
        )
    many = "One step" if steps == 1 else f"{steps:,} steps"
    bring = "brings" if steps == 1 else "bring"
    return start + f"{many} of gradient descent on this row alone {bring} the prediction to {end}."


def _off(walk: Walkthrough) -> str:
    assert isinstance(walk.truth, float)
    difference = float(walk.guesses[0].answer) - walk.truth
    if difference == 0:
        return "exactly right"
    return f"{figure(abs(difference))} too {'high' if difference > 0 else 'low'}"


def error_sentence(walk: Walkthrough) -> str:
    """What the loss measures on this row."""
    count = len(walk.outputs)
    who = f"The {count} members of the network" if count > 1 else "The network"
    if walk.truth_scaled is not None:
        return (
            f"{who} answer on the scale of training, ({walk.target} − "
            f"{figure(walk.target_mean, 6)}) / {figure(walk.target_scale, 6)}, on which the truth "
            f"is {figure(walk.truth_scaled)}. The loss is the squared difference"
            + (", averaged over the members." if count > 1 else ".")
        )
    return (
        f"{who} {'each give' if count > 1 else 'gives'} the true class, {truth_text(walk)}, a "
        "probability. The loss is minus its logarithm"
        + (", averaged over the members." if count > 1 else ".")
    )


def error_formula(walk: Walkthrough) -> str:
    """The loss with its numbers in place."""
    if walk.truth_scaled is not None:
        truth = _signed(walk.truth_scaled)
        terms = [f"({figure(output)} − {truth})²" for output in walk.outputs]
    else:
        terms = [f"log {figure(output)}" for output in walk.outputs]
    sign = "" if walk.truth_scaled is not None else "−"
    count = len(terms)
    if count > _MOST_TERMS:
        terms = [*terms[: _MOST_TERMS - 1], "…", terms[-1]]
    total = " + ".join(terms)
    if count > 1:
        total = f"[ {total} ] / {count}"
    return f"loss = {sign}{total} = {figure(walk.loss)}"


def _signed(value: float) -> str:
    return f"({figure(value)})" if value < 0 else figure(value)


def rate_sentence(walk: Walkthrough) -> str:
    """Which step is taken, and why."""
    why = (
        f"η = {figure(walk.learning_rate)} was chosen for this row: the first step removes about a "
        "fifth of the loss."
        if walk.is_rate_chosen
        else f"η = {figure(walk.learning_rate)}, as requested."
    )
    return (
        "Every weight w becomes w − η · ∂loss/∂w. This is plain gradient descent, not the "
        "optimizer of the training run: it has no memory of earlier rows, so you can check it by "
        f"hand. {why}"
    )


def outcome_sentence(walk: Walkthrough) -> str:
    """How the repeated steps ended."""
    loss, limit = figure(walk.guesses[-1].loss), figure(walk.tolerance)
    after = f"After {_steps(len(walk.guesses) - 1)}"
    what = "a probability of 95\u00a0% for the true class"
    if walk.truth_scaled is not None:
        near = figure(walk.tolerance**0.5 * walk.target_scale, 3)
        what = f"about {near} from the truth (0.01 standard deviations of {walk.target})"
    fits = f"A loss of at most {limit} counts as a fit, which is {what}."
    match walk.outcome:
        case Outcome.FITS_ALREADY:
            first = figure(walk.guesses[0].loss)
            return f"The loss is {first} before any step, so the prediction already fits. {fits}"
        case Outcome.FITTED:
            return f"{after} the loss is {loss}, and the prediction fits. {fits}"
        case Outcome.OUT_OF_STEPS:
            return (
                f"{after}, the maximum, the loss is {loss} and the prediction does not fit yet. "
                f"{fits}"
            )
        case Outcome.DIVERGED:
            return (
                f"{after} the loss was {loss}, then it was no longer finite: the learning rate is "
                "too high for this row. Try a tenth of it."
            )


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number:,} steps"


def shown_guesses(walk: Walkthrough) -> list[tuple[int, Guess]]:
    """The guesses to list: the first ones, then fewer and fewer, and the last."""
    last = len(walk.guesses) - 1
    wanted = {0, 1, 2, 5, 10, 20, 50, 100, 200, last}
    return [(step, walk.guesses[step]) for step in sorted(wanted) if step <= last]
