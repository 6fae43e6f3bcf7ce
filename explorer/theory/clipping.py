"""Clipping: a gradient that is too long is shortened before the step; one that has vanished stays as it is.

Sources: Pascanu, Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks", section
3.2 and algorithm 1 (by norm); Mikolov (2012), "Statistical language models based on neural networks" (by
value).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def clip_by_norm(gradient: np.ndarray, threshold: float) -> np.ndarray:
    """g·min(1, θ/‖g‖) over the last axis: the same direction, never longer than θ (Pascanu et al. 2013).

    PyTorch's ``clip_grad_norm_`` divides by ‖g‖ + 10⁻⁶ instead. What is not finite has no direction: NaN.

    Raises:
        ValueError: the threshold is not a positive finite number.
    """
    g, limit = np.asarray(gradient, np.float64), _threshold(threshold)
    largest = np.abs(g).max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = g / largest
        norm = np.linalg.norm(scaled, axis=-1, keepdims=True)  # of g / largest: squares do not overflow
        return np.asarray(np.where((norm <= limit / largest) | (largest == 0), g, scaled * (limit / norm)))


def clip_by_value(gradient: np.ndarray, threshold: float) -> np.ndarray:
    """Every component moved into [−θ, θ], as ``clip_grad_value_`` does: the direction may turn.

    Raises:
        ValueError: as ``clip_by_norm``.
    """
    limit = _threshold(threshold)
    return np.clip(np.asarray(gradient, np.float64), -limit, limit)


def no_clipping(gradient: np.ndarray, threshold: float) -> np.ndarray:
    """The gradient itself."""
    return np.asarray(gradient, np.float64)


CLIPPINGS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "none": no_clipping,
    "norm": clip_by_norm,
    "value": clip_by_value,
}
"""Kind of clipping → (gradient [..., P], threshold) → what is left of it."""


def clipping_of(kind: str) -> Callable[[np.ndarray, float], np.ndarray]:
    """The clipping of that name.

    Raises:
        ValueError: there is none.
    """
    if kind not in CLIPPINGS:
        raise ValueError(f"clip is {kind!r}; allowed are {', '.join(CLIPPINGS)}")
    return CLIPPINGS[kind]


def angle_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle in degrees between vectors over the last axis, NaN beside a zero vector.

    2·atan2(‖u − v‖, ‖u + v‖) of the unit vectors u and v: exact for small angles too (Kahan 2006).
    """
    one, two = (_unit(np.asarray(vector, np.float64)) for vector in (first, second))
    across, along = (np.linalg.norm(part, axis=-1) for part in (one - two, one + two))
    return np.asarray(np.degrees(2 * np.arctan2(across, along)))


def _unit(vector: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        scaled = vector / np.abs(vector).max(axis=-1, keepdims=True)
        return np.asarray(scaled / np.linalg.norm(scaled, axis=-1, keepdims=True))


def _threshold(value: float) -> float:
    if not 0 < value < np.inf:
        raise ValueError(f"threshold is {value}; allowed are positive finite numbers")
    return float(value)
