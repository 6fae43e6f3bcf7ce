"""Activation functions, their exact slopes, and what theory needs to know of them.

Slopes are computed from the pre-activation and not as ``1 - h*h``: once a unit saturates that difference
loses all its digits (at |a| = 19 it is exactly 0 in float64 while the true slope is 1.2e-16), and a
gradient that vanishes through saturation would be drawn as a false zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any  # a numpy array or a torch tensor of the same shape


def sigmoid(a: Array) -> Array:
    """Logistic function 1 / (1 + exp(-a)), accurate relative to its value in both tails."""
    if not isinstance(a, np.ndarray):
        return a.sigmoid()
    decay = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, decay).astype(a.dtype, copy=False) / (1 + decay)


def sigmoid_slope(a: np.ndarray) -> np.ndarray:
    """Derivative σ(a)·σ(-a) of the logistic function, without cancellation."""
    decay = np.exp(-np.abs(a))
    return np.asarray(decay / np.square(1 + decay))


def tanh(a: Array) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(a) if isinstance(a, np.ndarray) else a.tanh()


def tanh_slope(a: np.ndarray) -> np.ndarray:
    """Derivative 1 / cosh²(a) of the hyperbolic tangent, without cancellation."""
    decay = np.exp(-2 * np.abs(a))
    return np.asarray(4 * decay / np.square(1 + decay))


def relu(a: Array) -> Array:
    """Rectifier max(a, 0)."""
    return np.maximum(a, 0) if isinstance(a, np.ndarray) else a.relu()


def relu_slope(a: np.ndarray) -> np.ndarray:
    """Derivative of the rectifier: 1 for a > 0, else 0 (0 at exactly 0, as in PyTorch)."""
    return (a > 0).astype(a.dtype)


def linear(a: Array) -> Array:
    """Identity."""
    return a


@dataclass(frozen=True)
class Activation:
    """One activation function φ.

    Attributes:
        name: registry name.
        label: name on screen.
        function: φ, for numpy arrays and torch tensors.
        slope: φ′ as a function of the pre-activation, numpy only.
        max_slope: γ, the largest value of φ′; the γ of Pascanu et al. (2013), eq. 6.
        homogeneous: φ(c·a) = c·φ(a) for every c > 0, so states may be rescaled instead of overflowing.
        saturated_below: a unit counts as saturated when its slope is below this (0 for none).
        latex: φ in LaTeX with the argument left open as ``{a}``.
    """

    name: str
    label: str
    function: Callable[[Array], Array]
    slope: Callable[[np.ndarray], np.ndarray]
    max_slope: float
    homogeneous: bool
    saturated_below: float
    latex: str


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("tanh", "tanh", tanh, tanh_slope, 1.0, False, 0.1, r"\tanh({a})"),
        Activation("relu", "ReLU", relu, relu_slope, 1.0, True, 0.0, r"\max(0,\,{a})"),
        Activation("linear", "linear", linear, np.ones_like, 1.0, True, 0.0, "{a}"),
        Activation("sigmoid", "sigmoid", sigmoid, sigmoid_slope, 0.25, False, 0.025, r"\sigma({a})"),
    )
}
