"""What a phase diagram says, in a sentence computed from its numbers, and how often theory is right."""

from __future__ import annotations

import numpy as np

SURVIVES = 0.01  # decades per step: a hundred steps change the gradient by a factor of 10 at most


def phase_sentence(values: np.ndarray) -> str:
    """Shares of the points whose gradient vanishes, survives or explodes.

    Args:
        values: decades per step, any shape; NaN is left out, −inf counts as vanished.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return "Nothing is computed yet."
    vanishes, explodes = float((known < -SURVIVES).mean()), float((known > SURVIVES).mean())
    zero = float((known == -np.inf).mean())
    dead = f" ({_percent(zero)} exactly to 0)" if zero else ""
    survives = 1 - vanishes - explodes
    return (
        f"The gradient vanishes at {_percent(vanishes)} of the points{dead}, explodes at {_percent(explodes)}"
        f" and survives at {_percent(survives)}: there it changes by less than a factor of 10 in 100 steps."
    )


def theory_sentence(values: np.ndarray, chi: np.ndarray, tolerance: float) -> str:
    """How many signs the line χ₁ = 1 predicts, inside and outside its band.

    Args:
        values: decades per step [ny, nx].
        chi: χ₁ at the same points.
        tolerance: share by which measured growth may differ from χ₁.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(np.log(chi))
    counted = ~np.isnan(values) & np.isfinite(distance)
    outside = counted & (distance > np.log1p(tolerance))
    if not outside.any():
        return "All points lie in the band where a network of this size may be on either side of χ₁ = 1."
    right = ((values > 0) == (chi > 1))[outside].mean()
    inside = _percent(1 - outside.sum() / counted.sum())
    return (
        f"Outside the grey band (± {_percent(tolerance)} of χ₁, {inside} of the points) mean-field theory "
        f"has the right sign at {_percent(float(right))} of the points."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
