"""The sentence that says at which step a training run had to stop, and why."""

from __future__ import annotations

import math

import numpy as np

from explorer.training.training import Training


def divergence_sentence(training: Training, what: str, value: float) -> str:
    """When and why a run stopped: what is no finite number, and what the gradient did before.

    Args:
        training: the run up to the last step that went well.
        what: "the loss" or "the gradient's norm".
        value: NaN or ±infinity.
    """
    recipe, norms = training.recipe, training.norm_before
    said = "is not a number" if math.isnan(value) else "is infinite"
    start = f"Training stopped at step {training.step + 1}: {what} {said}."
    unbounded = " Nothing bounds the states of this cell." if recipe.experiment.cell.homogeneous else ""
    if not len(norms):
        return f"{start} Nothing was trained yet: the first weights are too large.{unbounded}"
    worst = int(norms.argmax())
    clipped = {
        "none": "nothing clipped it",
        "norm": f"it was clipped to the norm {recipe.clip_at:g}",
        "value": f"its entries were clipped to ±{recipe.clip_at:g}",
    }[recipe.clip]
    usual = float(np.median(norms))
    beside = (
        f", {norms[worst] / usual:.3g} times the usual {usual:.1e}" if norms[worst] > 10 * usual > 0 else ""
    )
    return (
        f"{start} Before, the gradient's norm had reached {norms[worst]:.1e} at step {worst + 1}{beside}; "
        f"{clipped}, and the learning rate is {recipe.learning_rate:g}.{unbounded}"
    )
