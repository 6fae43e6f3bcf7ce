"""What is said about a race: who can learn by the gradient at the start, and who did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.app.learning.race_setting import Lane
from explorer.figures.decades import power
from explorer.figures.race import running_mean
from explorer.tasks import Task
from explorer.training.training import Training

FAR = ("latch", "adding", "order")  # tasks whose answer needs what stood near the first step
REACHES = -5.0  # decades of the gradient at the first step beside the largest; less is lost
_LEARNED = 0.8  # of the way from chance to perfect


def learned(training: Training) -> bool | None:
    """Whether it is clearly above chance now; None before the first step."""
    return bool(good_steps(training)[-1]) if training.step else None


def good_steps(training: Training) -> np.ndarray:
    """Whether it is clearly above chance after each training step, by the mean of the last ones, [step]."""
    task = training.recipe.task
    chance = task.baseline(training.recipe.experiment.num_steps).score
    scores = running_mean(training.score)
    if task.measure == "accuracy":
        return np.asarray(scores >= chance + _LEARNED * (1 - chance))
    return np.asarray(scores <= (1 - _LEARNED) * chance)


def reaches(training: Training, r: int = 0) -> float:
    """log10 of ‖∂L/∂h_1‖ beside the largest ‖∂L/∂h_t‖, at a recorded step; −inf where it is exactly 0."""
    decades = training.decades[r]
    finite = decades[np.isfinite(decades)]
    return float(decades[1] - finite.max()) if finite.size else -np.inf


def prediction(lanes: Sequence[Lane]) -> str:
    """What the gradient before training lets one expect; "" for tasks that need no long memory."""
    if lanes[0].training.recipe.task.kind not in FAR:
        return ""
    shares = {lane.title: reaches(lane.training) for lane in lanes}
    able = [title for title, share in shares.items() if share >= REACHES]
    unable = [title for title in shares if title not in able]
    parts = []
    if able:
        parts.append(f"the gradient reaches the first step in {_list(able)}")
    if unable:
        share = max(shares[title] for title in unable)
        left = "exactly nothing" if share == -np.inf else f"{power(round(share))} of it or less"
        parts.append(f"{left} is left there in {_list(unable)}")
    return f"Before training, {'; '.join(parts)}."


def result(lanes: Sequence[Lane]) -> str:
    """Who has learned the task so far, with the chance level."""
    recipe = lanes[0].training.recipe
    task = recipe.task
    chance = task.baseline(recipe.experiment.num_steps)
    most = max(lane.training.step for lane in lanes)
    if not most:
        return f"Chance is {score_text(task, chance.score)}: {chance.said}"
    done = [lane.title for lane in lanes if learned(lane.training)]
    rest = [lane for lane in lanes if learned(lane.training) is False and not lane.training.diverged]
    parts = [f"{_list(done)} {'has' if len(done) == 1 else 'have'} learned it"] if done else []
    if rest:
        levels = [float(running_mean(lane.training.score)[-1]) for lane in rest]
        best = score_text(task, max(levels) if task.measure == "accuracy" else min(levels))
        verb = "is at" if len(rest) == 1 else "are at best at"
        parts.append(f"{_list([lane.title for lane in rest])} {verb} {best}")
    said = "; ".join(parts) or "no network is left"
    return f"After {most} training steps {said} (chance: {score_text(task, chance.score)})."


def score_text(task: Task, score: float) -> str:
    """A score as people write it."""
    return f"{score:.0%}" if task.measure == "accuracy" else f"{score:.3g}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
