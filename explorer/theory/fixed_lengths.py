"""Where the length of a signal settles, and the weights with which a gradient keeps its size there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from explorer.activations import ACTIVATIONS
from explorer.theory.gaussian_averages import gaussian_averages

MARGINAL = 1e-12
"""Factors closer to 1 than this count as 1."""
TINY = 1e-300
"""Stands for the limit q → 0."""

_SMALLEST, _LARGEST, _PER_DECADE = 1e-12, 1e24, 8  # lengths between which a crossing is looked for
_FAR = 1e6  # a critical length is looked for up to this many times 1 + drive
_PRECISION = {"xatol": 1e-14, "xrtol": 1e-15, "fatol": 0.0, "frtol": 0.0}  # of ln q
_STEPS = 200

Average = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(q, mean) → a number for each."""


def fixed_lengths(activation: str, gain: np.ndarray, drive: np.ndarray, mean: np.ndarray) -> np.ndarray:
    r"""The q = g E[φ(a)²] + d, a ~ N(mean, q), at which the length of a small start settles, [P].

    Args:
        activation: a name of ``ACTIVATIONS``.
        gain: g = σ_w², [P].
        drive: d = σ_b² + σ_x², [P].
        mean: [P].

    Returns:
        The smallest stable fixed point; inf where there is none, NaN where every q is one.
    """
    chosen, averages = ACTIVATIONS[activation], gaussian_averages(activation)
    bound = float(np.square(chosen.range).max())
    top = 1.01 * float((gain * bound + drive).max(initial=0)) if np.isfinite(bound) else _LARGEST
    scaled = (mean == 0) & chosen.homogeneous
    q = np.full(len(gain), np.inf)
    growth = gain[scaled] * averages.square(np.ones(1), np.zeros(1))  # there E[φ²] is proportional to q
    q[scaled] = _limit(growth, drive[scaled])
    rest = ~scaled
    found = _first_crossing(averages.square, gain[rest], drive[rest], mean[rest], top)
    q[rest] = np.where(np.isnan(found), np.inf, found)
    return q


def _limit(growth: np.ndarray, drive: np.ndarray) -> np.ndarray:
    """Of q ← growth · q + drive."""
    marginal = np.abs(growth - 1) <= MARGINAL
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where((growth < 1) & ~marginal, drive / (1 - growth), np.inf)
    return np.asarray(np.where(marginal & (drive == 0), np.nan, q))


def critical_gains(activation: str, drive: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """σ_w² at which χ₁ = 1 at a fixed length, [P], for drives and means [P]; NaN where there is none.

    Where χ₁ = 1 the gain is 1/E[φ′²], so the length solves q = E[φ²]/E[φ′²] + d.
    """
    averages = gaussian_averages(activation)

    def balance(q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(averages.square(q, mean) / averages.slope_square(q, mean))

    scaled = (mean == 0) & ACTIVATIONS[activation].homogeneous
    q = np.ones(len(drive))  # any length does where φ has no scale
    top = _FAR * float(1 + drive.max(initial=0))
    q[~scaled] = _first_crossing(balance, np.ones(1), drive[~scaled], mean[~scaled], top)
    return np.asarray(1 / averages.slope_square(np.maximum(q, TINY), mean))


def _first_crossing(
    average: Average, gain: np.ndarray, drive: np.ndarray, mean: np.ndarray, top: float
) -> np.ndarray:
    """The smallest q ≤ top beyond which gain · average(q, mean) + drive is below q, [P]; NaN for none."""
    from scipy.optimize.elementwise import find_root  # a quarter of a second, so only when it is needed

    if not len(mean):
        return mean

    def after(q: np.ndarray, gain: np.ndarray, drive: np.ndarray, mean: np.ndarray) -> np.ndarray:
        return np.asarray(gain * average(q, mean) + drive)

    def growth(log_q: np.ndarray, *given: np.ndarray) -> np.ndarray:
        q = np.exp(log_q)
        return np.asarray(after(q, *given) / q - 1)

    gain = np.broadcast_to(gain, mean.shape)
    decades = np.log10(max(top, 10 * _SMALLEST) / _SMALLEST)
    lengths = np.append(TINY, _SMALLEST * np.logspace(0, decades, 2 + int(_PER_DECADE * decades)))
    means, place = np.unique(mean, return_inverse=True)
    averaged = average(lengths, means[:, None])[place]
    table = gain[:, None] * averaged + drive[:, None] - lengths
    below = table < 0
    below[:, 0] = False
    first = below.argmax(axis=1)
    q = np.where(table[:, 0] <= MARGINAL * TINY, 0.0, np.nan)
    some = np.flatnonzero(np.isnan(q) & (first > 0))
    if len(some):
        given = (gain[some], drive[some], mean[some])
        ends = np.log(lengths[first[some] - 1]), np.log(lengths[first[some]])
        root = find_root(growth, ends, args=given, tolerances=_PRECISION, maxiter=_STEPS).x
        q[some] = after(np.exp(root), *given)
    return q
