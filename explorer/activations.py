"""Activation functions with exact slopes, usable on numpy arrays and torch tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from explorer import pool

Array = Any  # a numpy array or a torch tensor of the same shape
Slope = Callable[[np.ndarray], np.ndarray]
_MILD = 2.0  # |a| up to which torch's own derivatives y(1 − y) and 1 − y² lose no digits worth naming (5e-15)


@cache
def _exact() -> Any:
    """A torch operation made of a numpy function and its numpy slope."""
    import torch

    class Exact(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, a: Any, function: Callable[[np.ndarray], np.ndarray], slope: Slope) -> Any:
            context.save_for_backward(a)
            context.slope = slope
            return torch.from_numpy(function(a.detach().numpy()))

        @staticmethod
        def backward(context: Any, *adjoints: Any) -> Any:
            (a,) = context.saved_tensors
            return adjoints[0] * torch.from_numpy(context.slope(a.numpy())), None, None

    return Exact


def sigmoid(a: Array) -> Array:
    """Logistic function 1 / (1 + exp(-a)), accurate relative to its value in both tails."""
    if not isinstance(a, np.ndarray):
        return a.sigmoid() if a.detach().abs().max() < _MILD else _exact().apply(a, sigmoid, sigmoid_slope)
    import torch  # its logistic function takes half the time of any way through NumPy

    value: np.ndarray = torch.sigmoid(torch.from_numpy(np.ascontiguousarray(a))).numpy()
    if not value.all():
        value[value == 0] = np.exp(a[value == 0])  # it gives 0 below a = −709
    return value


def refine_sigmoids(a: np.ndarray, values: np.ndarray) -> None:
    """Correct values ½ tanh(a/2) + ½ in place where a < −3: there they have lost digits of a small σ(a)."""
    low = a < -3
    values[low] = sigmoid(a[low])


def sigmoid_slope(a: np.ndarray) -> np.ndarray:
    """Derivative σ(a)·σ(-a) of the logistic function, without cancellation."""
    return _bell(a, 1.0)


def _bell(a: np.ndarray, rate: float) -> np.ndarray:
    """e^(−r|a|) / (1 + e^(−r|a|))², in memory that was used before: fresh pages cost more than the sums."""
    decay, square = pool.empty(a.shape, a.dtype), pool.empty(a.shape, a.dtype)
    np.abs(a, out=decay)
    np.exp(np.multiply(decay, -rate, out=decay), out=decay)
    np.square(np.add(decay, 1, out=square), out=square)
    return np.asarray(np.divide(decay, square, out=decay))


def tanh(a: Array) -> Array:
    """Hyperbolic tangent."""
    if not isinstance(a, np.ndarray):
        return a.tanh() if a.detach().abs().max() < _MILD else _exact().apply(a, np.tanh, tanh_slope)
    return np.tanh(a)


def tanh_slope(a: np.ndarray) -> np.ndarray:
    """Derivative 1 / cosh²(a) of the hyperbolic tangent, without cancellation."""
    slope = _bell(a, 2.0)
    return np.asarray(np.multiply(slope, 4, out=slope))


def relu(a: Array) -> Array:
    """Rectifier max(a, 0)."""
    return np.maximum(a, 0) if isinstance(a, np.ndarray) else a.relu()


def relu_slope(a: np.ndarray) -> np.ndarray:
    """Derivative of the rectifier: 1 for a > 0, else 0 (0 at exactly 0, as in PyTorch)."""
    return (a > 0).astype(a.dtype)


def linear(a: Array) -> Array:
    """Identity."""
    return a


def hard_sigmoid(a: Array) -> Array:
    """PyTorch's hard sigmoid: a/6 + 1/2, cut to [0, 1]."""
    return _ramp(a, 3.0)


def hard_sigmoid_slope(a: np.ndarray) -> np.ndarray:
    """Derivative of PyTorch's hard sigmoid: 1/6 for |a| < 3, else 0."""
    return _ramp_slope(a, 3.0)


def hard_sigmoid_keras(a: Array) -> Array:
    """Keras' original hard sigmoid: 0.2 a + 1/2, cut to [0, 1]."""
    return _ramp(a, 2.5)


def hard_sigmoid_keras_slope(a: np.ndarray) -> np.ndarray:
    """Derivative of Keras' original hard sigmoid: 1/5 for |a| < 2.5, else 0."""
    return _ramp_slope(a, 2.5)


def _ramp(a: Array, end: float) -> Array:
    """The straight line from 0 at a = −end to 1 at a = end, and constant beyond; exact near both ends."""
    if isinstance(a, np.ndarray):
        return np.asarray(np.clip(a + end, 0, 2 * end) / (2 * end))
    from torch.nn.functional import hardtanh

    return hardtanh(a + end, 0.0, 2 * end) / (2 * end)


def _ramp_slope(a: np.ndarray, end: float) -> np.ndarray:
    return np.asarray((np.abs(a) < end).astype(a.dtype) / (2 * end))


def softsign(a: Array) -> Array:
    """a / (1 + |a|): as tanh, but with tails that fall like 1/|a|."""
    if not isinstance(a, np.ndarray) and a.detach().abs().max() > _MILD:
        return _exact().apply(a, softsign, softsign_slope)
    return a / (1 + abs(a))


def softsign_slope(a: np.ndarray) -> np.ndarray:
    """Derivative 1 / (1 + |a|)² of the soft sign."""
    return np.asarray(np.square(1 / (1 + np.abs(a))))


@dataclass(frozen=True)
class Activation:
    """One activation function φ.

    Attributes:
        name: registry name.
        label: name on screen.
        function: φ, for numpy arrays and torch tensors.
        slope: φ′ as a function of the pre-activation, numpy only.
        complement: 1 − φ without cancellation where φ is close to 1, for arrays and tensors.
        max_slope: γ, the largest value of φ′; the γ of Pascanu et al. (2013), eq. 6.
        homogeneous: φ(c·a) = c·φ(a) for every c > 0, so states may be rescaled instead of overflowing.
        saturated_below: a unit counts as saturated when its slope is below this (0 for none).
        range: the least and the largest value that φ comes close to or takes.
        latex: φ in LaTeX with the argument left open as ``{a}``.
        slope_latex: φ′ in LaTeX, with the argument ``{a}`` or the value ``{y}`` = φ(a).
    """

    name: str
    label: str
    function: Callable[[Array], Array]
    slope: Slope
    complement: Callable[[Array], Array]
    max_slope: float
    homogeneous: bool
    saturated_below: float
    range: tuple[float, float]
    latex: str
    slope_latex: str

    @property
    def is_share(self) -> bool:
        """Whether φ stays within [0, 1], so that a gate made of it lets a share of its input through."""
        return self.range == (0, 1)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation(
            "tanh",
            "tanh",
            tanh,
            tanh_slope,
            lambda a: 2 * sigmoid(-2 * a),
            max_slope=1.0,
            homogeneous=False,
            saturated_below=0.1,
            range=(-1, 1),
            latex=r"\tanh({a})",
            slope_latex="(1 - {y}^2)",
        ),
        Activation(
            "relu",
            "ReLU",
            relu,
            relu_slope,
            lambda a: 1 - relu(a),
            max_slope=1.0,
            homogeneous=True,
            saturated_below=0.0,
            range=(0, np.inf),
            latex=r"\max(0,\,{a})",
            slope_latex="[{a} > 0]",
        ),
        Activation(
            "linear",
            "linear",
            linear,
            np.ones_like,
            lambda a: 1 - a,
            max_slope=1.0,
            homogeneous=True,
            saturated_below=0.0,
            range=(-np.inf, np.inf),
            latex="{a}",
            slope_latex="1",
        ),
        Activation(
            "sigmoid",
            "sigmoid",
            sigmoid,
            sigmoid_slope,
            lambda a: sigmoid(-a),
            max_slope=0.25,
            homogeneous=False,
            saturated_below=0.025,
            range=(0, 1),
            latex=r"\sigma({a})",
            slope_latex=r"{y} \odot (1 - {y})",
        ),
        Activation(
            "hard_sigmoid",
            "hard sigmoid (PyTorch)",
            hard_sigmoid,
            hard_sigmoid_slope,
            lambda a: hard_sigmoid(-a),
            max_slope=1 / 6,
            homogeneous=False,
            saturated_below=1 / 60,
            range=(0, 1),
            latex=r"\operatorname{{clip}}\bigl(\tfrac{{1}}{{6}} {a} + \tfrac{{1}}{{2}}\bigr)",
            slope_latex=r"\tfrac{{1}}{{6}} [\,|{a}| < 3\,]",
        ),
        Activation(
            "hard_sigmoid_keras",
            "hard sigmoid (Keras)",
            hard_sigmoid_keras,
            hard_sigmoid_keras_slope,
            lambda a: hard_sigmoid_keras(-a),
            max_slope=0.2,
            homogeneous=False,
            saturated_below=0.02,
            range=(0, 1),
            latex=r"\operatorname{{clip}}\bigl(\tfrac{{1}}{{5}} {a} + \tfrac{{1}}{{2}}\bigr)",
            slope_latex=r"\tfrac{{1}}{{5}} [\,|{a}| < 2.5\,]",
        ),
        Activation(
            "softsign",
            "softsign",
            softsign,
            softsign_slope,
            lambda a: (1 + (abs(a) - a)) / (1 + abs(a)),
            max_slope=1.0,
            homogeneous=False,
            saturated_below=0.1,
            range=(-1, 1),
            latex=r"\operatorname{{softsign}}({a})",
            slope_latex=r"(1 - |{y}|)^2",
        ),
    )
}
