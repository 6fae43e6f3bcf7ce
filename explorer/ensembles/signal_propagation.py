r"""Wide random networks, drawn and run: the lengths, likenesses and gradients that mean field predicts.

A layer is :math:`a_l = W_l\,\varphi(a_{l-1}) + b_l + x_l` as in ``explorer.theory.mean_field``. Two copies
with the same weights and the same drive start at different random a_0, and one gradient goes back through
the first of them, :math:`\delta_{l-1} = \varphi'(a_{l-1}) \odot W_l^\top \delta_l`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from explorer.activations import ACTIVATIONS

if TYPE_CHECKING:
    from explorer.theory.mean_field import MeanField

LARGEST_WIDTH = 4096
"""Units that a layer may have."""


@dataclass(frozen=True)
class Propagation:
    """What S random networks of L layers did.

    Attributes:
        lengths: [S, L+1] q_l: the mean of (a_l − μ)² over the units of the first copy.
        correlations: [S, L+1] c_l: the mean product of both copies' a_l − μ, normalised; NaN where one is 0.
        growth: [S, L] ‖δ_{l−1}‖²/‖δ_l‖² for l = 1 … L; 0 where the gradient dies, NaN below that layer.
    """

    lengths: np.ndarray
    correlations: np.ndarray
    growth: np.ndarray

    @property
    def settled_growth(self) -> np.ndarray:
        """Geometric mean of the growth, without the first quarter of the layers where lengths settle, [S]."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.exp(np.log(self.growth[:, self.growth.shape[1] // 4 :]).mean(axis=1)))


def signal_propagation(
    activation: str = "tanh",
    *,
    sigma_w: float,
    sigma_b: float = 0.0,
    input_variance: float = 0.0,
    bias_mean: float = 0.0,
    width: int = 512,
    depth: int = 50,
    seeds: Sequence[int] = range(4),
    tied: bool = False,
    start_length: float = 1.0,
    start_correlation: float = 0.5,
) -> Propagation:
    r"""Run random networks of independent layers or, ``tied``, of one layer with its biases repeated.

    Matrices are Gaussian. Independent ones are never written down: all that matters is what each does to the
    two states, with an orthonormal basis Q [N, 2], and to the gradient. W Q = Y is Gaussian, and given Y

    .. math::
        W^\top\delta = Q\,Y^\top\delta + (I - Q Q^\top)\,g, \qquad
        g_i \sim \mathcal N(0, \sigma_w^2 \lVert\delta\rVert^2 / N)

    (conditioning: Bolthausen 2014). A layer costs O(N) and has exactly the law that a drawn matrix gives it.

    Args:
        activation: a name of ``ACTIVATIONS``.
        sigma_w: σ_w ≥ 0.
        sigma_b: σ_b ≥ 0.
        input_variance: σ_x² ≥ 0 of a drive that is fresh in every layer.
        bias_mean: μ.
        width: N, 2 to ``LARGEST_WIDTH``.
        depth: L ≥ 1.
        seeds: one network each; a network depends on its own seed alone.
        tied: whether all layers share W and b, as the steps of a recurrent network do.
        start_length: q_0 > 0.
        start_correlation: c_0 between −1 and 1.

    Raises:
        ValueError: an unknown activation or a number out of range.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation={activation!r} is unknown; allowed are {', '.join(ACTIVATIONS)}")
    for name, value, low, high in (
        ("sigma_w", sigma_w, 0, np.inf),
        ("sigma_b", sigma_b, 0, np.inf),
        ("input_variance", input_variance, 0, np.inf),
        ("width", width, 2, LARGEST_WIDTH),
        ("depth", depth, 1, np.inf),
        ("start_length", start_length, 0, np.inf),
        ("start_correlation", start_correlation, -1, 1),
    ):
        if not (low <= value <= high and np.isfinite(value)):
            raise ValueError(f"{name} is {value}; allowed is {low} to {high}")
    phi, slope = ACTIVATIONS[activation].function, ACTIVATIONS[activation].slope
    drive = np.sqrt(input_variance)
    lengths, correlations = (np.empty((len(seeds), depth + 1)) for _ in range(2))
    growth = np.empty((len(seeds), depth))
    for row, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        a = _start(rng, width, start_length, start_correlation)
        layers = (_Tied if tied else _Independent)(rng, width, sigma_w, sigma_b)
        firsts = []
        for l in range(depth + 1):
            lengths[row, l], correlations[row, l] = _moments(a)
            firsts.append(a[:, 0] + bias_mean)
            if l < depth:
                a = layers.forward(phi(a + bias_mean)) + drive * rng.standard_normal((width, 1))
        delta = _unit(rng.standard_normal(width))
        for l in range(depth - 1, -1, -1):
            delta = slope(firsts[l]) * layers.backward(delta)
            growth[row, l] = delta @ delta
            delta = _unit(delta)
    return Propagation(lengths, correlations, growth)


def propagation_of(
    field: MeanField[float],
    *,
    width: int = 512,
    depth: int = 50,
    seeds: Sequence[int] = range(4),
    tied: bool = False,
    start_length: float = 1.0,
    start_correlation: float = 0.5,
) -> Propagation:
    """``signal_propagation`` in networks with the settings of a mean field."""
    return signal_propagation(
        field.activation,
        sigma_w=field.sigma_w,
        sigma_b=field.sigma_b,
        input_variance=field.input_variance,
        bias_mean=field.bias_mean,
        width=width,
        depth=depth,
        seeds=seeds,
        tied=tied,
        start_length=start_length,
        start_correlation=start_correlation,
    )


class _Layers(Protocol):
    """Random layers on states [N, 2] without the drive."""

    def forward(self, states: np.ndarray) -> np.ndarray:
        """W h + b of the next layer, [N, 2]."""

    def backward(self, delta: np.ndarray) -> np.ndarray:
        """Wᵀδ of the last layer that has not been gone back through, [N]."""


class _Tied:
    """One matrix and one bias, repeated."""

    def __init__(self, rng: np.random.Generator, width: int, sigma_w: float, sigma_b: float) -> None:
        self._matrix = sigma_w / np.sqrt(width) * rng.standard_normal((width, width))
        self._bias = sigma_b * rng.standard_normal((width, 1))

    def forward(self, states: np.ndarray) -> np.ndarray:
        return np.asarray(self._matrix @ states + self._bias)

    def backward(self, delta: np.ndarray) -> np.ndarray:
        return np.asarray(delta @ self._matrix)


class _Independent:
    """A new Gaussian matrix for every layer, by what it does."""

    def __init__(self, rng: np.random.Generator, width: int, sigma_w: float, sigma_b: float) -> None:
        self._rng, self._width = rng, width
        self._scale, self._sigma_b = sigma_w / np.sqrt(width), sigma_b
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []  # Q and Y = W Q of every layer

    def forward(self, states: np.ndarray) -> np.ndarray:
        basis, triangle = np.linalg.qr(states)
        image = self._scale * self._rng.standard_normal(states.shape)
        self._seen.append((basis, image))
        return np.asarray(image @ triangle + self._sigma_b * self._rng.standard_normal((self._width, 1)))

    def backward(self, delta: np.ndarray) -> np.ndarray:
        basis, image = self._seen.pop()
        fresh = self._scale * np.linalg.norm(delta) * self._rng.standard_normal(self._width)
        return np.asarray(fresh + basis @ (image.T @ delta - basis.T @ fresh))


def _start(rng: np.random.Generator, width: int, length: float, correlation: float) -> np.ndarray:
    """a_0 − μ of both copies, [N, 2]: exactly of this mean square and correlation."""
    basis, _ = np.linalg.qr(rng.standard_normal((width, 2)))
    second = correlation * basis[:, 0] + np.sqrt(1 - correlation**2) * basis[:, 1]
    return np.asarray(np.sqrt(length * width) * np.column_stack([basis[:, 0], second]))


def _moments(a: np.ndarray) -> tuple[float, float]:
    """The first column's mean square, and both columns' correlation."""
    (first, product), (_, second) = a.T @ a / len(a)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(first), float(product / np.sqrt(first * second))


def _unit(delta: np.ndarray) -> np.ndarray:
    """In the same direction, of length 1; NaN for 0."""
    with np.errstate(invalid="ignore"):
        return np.asarray(delta / np.linalg.norm(delta))
