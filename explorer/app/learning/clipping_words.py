"""What the section Clipping says: where a step lands, and whether clipping changes it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from explorer.app.clipping_choices import ClippingChoices
from explorer.figures import decades
from explorer.figures.cliff_looks import written
from explorer.theory.cliff import Descent, cliff_gradient, edge_bias, edge_factor
from explorer.theory.clipping import angle_between, clip_by_value

_BESIDE = 0.01
_TINY = -9999  # decades below which a number is only called small
_SAME = 1e-9  # distance from the edge that counts as none
_VANISHED, _EXPLODED = -3.0, 1.0  # decades of a gradient
_NAMES = {"norm": "by norm", "value": "by value"}


def clipping_words(view: ClippingChoices, steps: Mapping[str, Descent]) -> tuple[str, str, str]:
    """(tone, sentence, another one) on one step from the chosen point."""
    free, size = steps["none"], float(steps["none"].decades[0])
    shown = "norm" if view.cliff_clip == "none" else view.cliff_clip
    at = f"At w = {view.cliff_weight:.4g}, b = {_bias(view)} the gradient is {amount(size)}"
    if not steps[shown].clipped.any():
        return _below(view, free, at)
    sides = view.cliff_bias + np.array([-_BESIDE, _BESIDE])
    beside = cliff_gradient(view.cliff_weight, sides, view.cliff_unrolled).decades
    low, high = (amount(float(value)) for value in beside)
    main = (
        f"{at} ({_BESIDE} to either side in b: {low} and {high}). One step lands at {_landing(free)}, "
        f"clipped {_NAMES[shown]} at {_landing(steps[shown])}."
    )
    return "explodes" if size > _EXPLODED else "survives", main, f"{_left(free)} {_turned(view)}"


def amount(value: float) -> str:
    """A number given by its decades; those that are far below every float are not spelled out."""
    if -np.inf < value < _TINY:
        return f"below {decades.power(_TINY)}"
    return decades.number(value)


def _bias(view: ClippingChoices) -> str:
    """With as many digits as the edge of the cliff calls for."""
    edge = abs(view.cliff_bias - edge_bias(view.cliff_weight)) < _SAME
    if edge and edge_factor(view.cliff_weight) > 1:
        return f"{view.cliff_bias:.7f} (the edge)".replace("-", "−")
    return f"{view.cliff_bias:.4g}".replace("-", "−")


def _landing(step: Descent) -> str:
    return written(step.points[-1], step.points[0])


def _below(view: ClippingChoices, free: Descent, at: str) -> tuple[str, str, str]:
    """Clipping leaves the gradient as it is."""
    size, moved = float(free.decades[0]), float(np.hypot(*(free.points[-1] - free.points[0])))
    main = f"{at}, not above the threshold of {view.cliff_threshold:g}: clipping does nothing."
    lands = f"One step lands at {_landing(free)} with and without clipping"
    if size > _EXPLODED:
        return "explodes", main, f"{lands}: the threshold is too high to help."
    if size >= _VANISHED:
        return "survives", main, f"{lands}."
    length = amount(math.log10(moved)) if moved else "exactly 0"
    more = f"A step has a length of {length} either way: clipping cures gradients that explode, not"
    return "vanishes", main, f"{more} those that vanish."


def _left(free: Descent) -> str:
    """What the step without clipping leaves to learn from."""
    if free.decades[-1] < _VANISHED:
        return f"Out there the gradient is {amount(float(free.decades[-1]))}, so learning stops."
    return f"Without clipping the loss goes from {free.losses[0]:.3g} to {free.losses[-1]:.3g}."


def _turned(view: ClippingChoices) -> str:
    gradient = cliff_gradient(view.cliff_weight, view.cliff_bias, view.cliff_unrolled).vector
    angle = float(angle_between(gradient, clip_by_value(gradient, view.cliff_threshold)))
    if angle < 0.05:
        return "Neither kind of clipping turns the step here."
    return f"Clipping by value turns the step by {angle:.1f}°, by norm never."
