"""What is said about a training run: what became of the gradient while the network learned, or did not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from explorer.app.learning.race_words import REACHES, good_steps, reaches, score_text
from explorer.figures import decades as log
from explorer.figures.race import SMOOTH, running_mean
from explorer.training.training import Training

_LATCHED = 0.1  # further share of saturated states that is worth a sentence


def what_happened(title: str, training: Training, saturated: Callable[[int], float]) -> str:
    """One or two sentences from the numbers.

    ``saturated`` gives the share of states on the flat part of tanh at a recorded step, 0 for other cells.
    """
    before, now = (reaches(training, r) for r in (0, -1))
    if not training.step:
        left = _left(before)
        return f"{title} before training: of its largest gradient {left} arrives at the first time step."
    start = learned_at(training)
    said = f"{title[0].upper()}{title[1:]} {_learned(training, start)}"
    if before >= REACHES and now >= REACHES:
        link = "while" if start else "although"
        return (
            f"{said}, {link} its gradient still reaches the first time step: "
            f"{_left(before)} of its largest before training, {_left(now)} now."
        )
    if before >= REACHES:
        late = start and start <= last_reached(training)
        when = "and only then its gradient" if late else "and meanwhile its gradient"
        text = (
            f"{said}, {when} vanished at the first time step: "
            f"from {_left(before)} of its largest before training to {_left(now)} now."
        )
        return f"{text} {_latched(training, saturated)}".strip()
    if now >= REACHES:
        link = "and" if start else "although"
        return (
            f"{said}, {link} training opened the way to the first time step: "
            f"{_left(before)} of the largest gradient arrived there before, {_left(now)} does now."
        )
    return (
        f"{said}: hardly any of its gradient ever arrives at the first time step, "
        f"{_left(before)} before training, {_left(now)} now."
    )


def so_far(title: str, training: Training) -> str:
    """One line while it is trained: a sentence of changing length would move the figures under one's hand."""
    score = score_text(training.recipe.task, float(running_mean(training.score)[-1]))
    left = _left(reaches(training, -1))
    return f"{title} after {training.step} steps: {score}, {left} of its gradient at the first time step."


def sizes(training: Training) -> str:
    """How much loss and how much gradient is left as a whole."""
    first, last = (_largest(training.decades[r]) for r in (0, -1))
    losses = running_mean(training.loss)[[0, -1]]
    return (
        f"Over {_steps(training.step)} the loss went from {losses[0]:.2g} to {losses[1]:.2g}, "
        f"the largest ‖∂L/∂h_t‖ from {log.number(first)} to {log.number(last)}."
    )


def captions(training: Training) -> list[str]:
    """A few words for every recorded step, beside the slider."""
    task, scores = training.recipe.task, running_mean(training.score)
    said = []
    for r, step in enumerate(training.recorded):
        left = f"{_left(reaches(training, r))} at t = 1"
        score = score_text(task, float(scores[step - 1])) if step else "untrained"
        said.append(f"{score} · {left}")
    return said


def learned_at(training: Training) -> int:
    """The first training step after which the score was clearly above chance; 0 where it is not now."""
    good = good_steps(training)
    if not len(good) or not good[-1]:
        return 0
    return int(np.flatnonzero(good & (np.arange(1, len(good) + 1) >= min(SMOOTH, len(good))))[0]) + 1


def last_reached(training: Training) -> int:
    """The last recorded step at which the gradient reached the first time step; −1 where it never did."""
    reached = [r for r in range(len(training.recorded)) if reaches(training, r) >= REACHES]
    return int(training.recorded[reached[-1]]) if reached else -1


def _learned(training: Training, start: int) -> str:
    if start:
        return f"learned it by step {start}"
    verb = "broke off" if training.diverged else "has not learned it"
    return f"{verb} after {_steps(training.step)}"


def _steps(count: int) -> str:
    return f"{count} training step{'s' if count != 1 else ''}"


def _left(share: float) -> str:
    """A share in decades as people write it."""
    return log.number(share)


def _largest(decades: np.ndarray) -> float:
    """The largest number of a row, −inf where all are exactly 0."""
    known = decades[~np.isnan(decades)]
    return float(known.max()) if known.size else float("nan")


def _latched(training: Training, saturated: Callable[[int], float]) -> str:
    """Why a network that knows its answer has lost its gradient; "" where that is not seen."""
    before, now = saturated(0), saturated(-1)
    if now < before + _LATCHED:
        return ""
    radius = float(np.abs(training.eigenvalues[-1]).max())
    matrix = f"Its spectral radius is {radius:.2g}, yet " if radius > 1 else "By now "
    return f"{matrix}{now:.0%} of its states are saturated, where tanh is flat: what it holds is latched."
