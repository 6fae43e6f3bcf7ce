"""Averages of an activation over Gaussian pre-activations a ~ N(mean, q), alone and in correlated pairs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.special import ndtr

from explorer.activations import ACTIVATIONS, Activation

Pair = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Correlation c → (E[φ(a)φ(a′)], E[φ′(a)φ′(a′)]) of two pre-activations of equal mean and variance."""

_REACH, _NODES = 9.0, 64  # standard deviations on both sides of the mean, nodes on both sides of a = 0
_WIDE, _FINE = 12.0, 256  # the same where Hermite polynomials are integrated, which grow like exp(z²/4)
_TERMS = 512  # of Mehler's series
_ENOUGH = 1e-14  # share of E[φ²] below which the rest of the series is not computed
_ANGLES = 64  # nodes of the integral over the correlation's angle


class GaussianAverages(ABC):
    """What mean field needs of one activation. Arguments broadcast: variances q > 0 and means."""

    @abstractmethod
    def square(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """E[φ²]."""

    @abstractmethod
    def square_rate(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """dE[φ²]/dq."""

    @abstractmethod
    def slope_square(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """E[φ′²]."""

    @abstractmethod
    def pair(self, q: np.ndarray, mean: np.ndarray) -> Pair:
        """Averages of products as functions of the correlation c, which broadcasts with q."""


class Quadrature(GaussianAverages):
    r"""Averages of a smooth activation: Gauss–Legendre quadrature and Mehler's series.

    A node is z = z₀ ± v², where z₀ is the place of a = 0: nodes are dense there, so neither a tanh that is
    steep in units of √q nor the kink in the second derivative of softsign costs digits: relative errors are
    below 1e-10 up to q = 256. For pairs

    .. math::
        E[\varphi(a)\varphi(a')] = \sum_k \alpha_k^2 c^k, \qquad
        \alpha_k = E[\varphi(\mu + \sqrt q z)\,He_k(z)/\sqrt{k!}]

    (Mehler 1866), and E[φ′(a)φ′(a′)] is its derivative over q. 512 terms are summed; what is left of the
    known sum at c = 1 counts as one further term. The error of the sum is below 1e-10 for tanh up to q = 16
    and below 1e-15 at any q for |c| ≤ 0.9; at q = 256 it reaches 3e-5 close to c = 1.
    """

    def __init__(self, activation: Activation) -> None:
        self._activation = activation

    def square(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """E[φ²]."""
        a, _, weights = self._pre_activations(q, mean)
        return np.asarray((weights * np.square(self._activation.function(a))).sum(axis=-1))

    def square_rate(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """dE[φ²]/dq = E[z φ φ′] / √q."""
        a, z, weights = self._pre_activations(q, mean)
        moment = (weights * z * self._activation.function(a) * self._activation.slope(a)).sum(axis=-1)
        return np.asarray(moment / np.sqrt(np.asarray(q)))

    def slope_square(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """E[φ′²]."""
        a, _, weights = self._pre_activations(q, mean)
        return np.asarray((weights * np.square(self._activation.slope(a))).sum(axis=-1))

    def pair(self, q: np.ndarray, mean: np.ndarray) -> Pair:
        """The series' coefficients are found once, for all correlations."""
        q, mean = np.asarray(q, np.float64), np.asarray(mean, np.float64)
        a, z, weights = self._pre_activations(q, mean, _WIDE, _FINE)
        square = self.square(q, mean)
        squares = _hermite_squares(weights * self._activation.function(a), z, square)
        squares = np.concatenate([squares, (square - squares.sum(axis=-1))[..., None]], axis=-1)
        order = np.arange(1, squares.shape[-1])
        slopes = order * squares[..., 1:] / q[..., None]

        def averages(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            powers = np.ones((*np.broadcast_shapes(np.shape(c), q.shape), squares.shape[-1]))
            powers[..., 1:] = np.asarray(c)[..., None]
            np.cumprod(powers, axis=-1, out=powers)
            product = np.einsum("...k,...k->...", squares, powers)
            return product, np.einsum("...k,...k->...", slopes, powers[..., :-1])

        return averages

    def _pre_activations(
        self, q: np.ndarray, mean: np.ndarray, reach: float = _REACH, count: int = _NODES
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """a, z and weights [..., 2·count]; the weights hold the normal density."""
        q, mean = np.broadcast_arrays(np.asarray(q, np.float64), np.asarray(mean, np.float64))
        root = np.sqrt(q)[..., None]
        centre = np.clip(-mean[..., None] / root, -reach, reach)
        if not centre.any():
            centre = np.zeros(1)  # all points share their nodes
        v, weights = _unit_nodes(count)
        z = np.concatenate([centre - (reach + centre) * v * v, centre + (reach - centre) * v * v], axis=-1)
        widths = np.concatenate([(reach + centre) * v * weights, (reach - centre) * v * weights], axis=-1)
        density = np.exp(-0.5 * z * z) * np.sqrt(2 / np.pi)
        return mean[..., None] + root * z, z, widths * density


@cache
def _unit_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss–Legendre nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def _hermite_squares(weighted: np.ndarray, z: np.ndarray, total: np.ndarray) -> np.ndarray:
    """α_k² [..., K] of weighted values [..., n] at z, until they have summed up to ``total`` everywhere."""
    older, old = np.zeros_like(z), np.ones_like(z)
    squares: list[np.ndarray] = []
    found = np.zeros(weighted.shape[:-1])
    for k in range(_TERMS):
        squares.append(np.square(np.einsum("...n,...n->...", weighted, old)))
        found += squares[-1]
        if k % 8 == 7 and np.all(total - found <= _ENOUGH * total):
            break
        older, old = old, (z * old - np.sqrt(k) * older) / np.sqrt(k + 1)
    return np.stack(squares, axis=-1)


class PiecewiseLinear(GaussianAverages):
    r"""Averages of φ(a) = sᵢ a + oᵢ between kinks, in closed form (ReLU, linear and the hard sigmoids).

    φ′ jumps by wⱼ at the kinks, d are their distances (μ − kink)/√q and n₂ is the density of two standard
    normal numbers of correlation t. Twice applied, Price's theorem (1958) gives

    .. math::
        E[\varphi'(a)\varphi'(a')] &= E[\varphi']^2 + \sum_{ij} w_i w_j \int_0^c n_2(d_i, d_j; t)\,dt \\
        E[\varphi(a)\varphi(a')] &= E[\varphi]^2 + q\,c\,E[\varphi']^2
        + q \sum_{ij} w_i w_j \int_0^c (c - t)\, n_2(d_i, d_j; t)\,dt

    With t = sin θ the integrands are smooth; for ReLU at mean 0 they are those of the arc-cosine kernel
    (Cho & Saul 2009), without error.

    Args:
        kinks: ascending, [m].
        slopes: sᵢ [m + 1].
        offsets: oᵢ [m + 1].
    """

    def __init__(
        self, kinks: tuple[float, ...], slopes: tuple[float, ...], offsets: tuple[float, ...]
    ) -> None:
        self._kinks, self._slopes, self._offsets = np.array(kinks), np.array(slopes), np.array(offsets)
        self._jumps = np.diff(self._slopes)

    def square(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """E[φ²]."""
        share, first, second = self._moments(q, mean)
        s, o = self._slopes, self._offsets
        return np.asarray((s * s * second + 2 * s * o * first + o * o * share).sum(axis=-1))

    def square_rate(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """dE[φ²]/dq = E[φ′²] + E[φφ″]."""
        at_kinks = self._slopes[1:] * self._kinks + self._offsets[1:]
        density = _density(self._distances(q, mean)) / np.sqrt(np.asarray(q))[..., None]
        return np.asarray(self.slope_square(q, mean) + (self._jumps * at_kinks * density).sum(axis=-1))

    def slope_square(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """E[φ′²]."""
        return np.asarray((np.square(self._slopes) * self._moments(q, mean)[0]).sum(axis=-1))

    def pair(self, q: np.ndarray, mean: np.ndarray) -> Pair:
        """Both integrals by Gauss–Legendre quadrature over θ."""
        q = np.asarray(q, np.float64)
        share, first, _ = self._moments(q, mean)
        value = (self._slopes * first + self._offsets * share).sum(axis=-1)
        slope = (self._slopes * share).sum(axis=-1)
        d = self._distances(q, mean)
        apart = np.square(d[..., :, None] - d[..., None, :])[..., None]
        both = (d[..., :, None] * d[..., None, :])[..., None]
        jumps = self._jumps[:, None] * self._jumps
        nodes, weights = _unit_nodes(_ANGLES)

        def averages(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            c = np.asarray(c, np.float64)
            angle = np.arcsin(c)[..., None]
            sine, cosine = np.sin(angle * nodes), np.cos(angle * nodes)
            t, square = sine[..., None, None, :], np.square(cosine)[..., None, None, :]
            density = np.exp(-apart / (2 * square) - both / (1 + t))
            density = np.einsum("ij,...ijn->...n", jumps, density) * angle * weights / (2 * np.pi)
            slopes = np.square(slope) + density.sum(axis=-1)
            beyond = ((c[..., None] - sine) * density).sum(axis=-1)
            return np.square(value) + q * (c * np.square(slope) + beyond), slopes

        return averages

    def _distances(self, q: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """(mean − kink)/√q, [..., m]."""
        return np.asarray(
            (np.asarray(mean)[..., None] - self._kinks) / np.sqrt(np.asarray(q, np.float64))[..., None]
        )

    def _moments(self, q: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E[1], E[a] and E[a²] over each stretch between kinks, [..., m + 1]."""
        q, mean = np.broadcast_arrays(np.asarray(q, np.float64), np.asarray(mean, np.float64))
        root, middle, d = np.sqrt(q)[..., None], mean[..., None], self._distances(q, mean)
        ends, density = np.zeros((*q.shape, 1)), _density(d)
        share = -np.diff(np.concatenate([ends + 1, ndtr(d), ends], axis=-1))
        z = -np.diff(np.concatenate([ends, density, ends], axis=-1))  # E[z] of a = mean + √q z
        z_square = share + np.diff(np.concatenate([ends, d * density, ends], axis=-1))
        first = middle * share + root * z
        return share, first, middle * (first + root * z) + root * root * z_square


def _density(z: np.ndarray) -> np.ndarray:
    """Of the standard normal distribution."""
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def _hard(end: float) -> PiecewiseLinear:
    """From 0 at −end to 1 at end."""
    return PiecewiseLinear((-end, end), (0.0, 0.5 / end, 0.0), (0.0, 0.5, 1.0))


_CLOSED = {
    "relu": PiecewiseLinear((0.0,), (0.0, 1.0), (0.0, 0.0)),
    "linear": PiecewiseLinear((), (1.0,), (0.0,)),
    "hard_sigmoid": _hard(3.0),
    "hard_sigmoid_keras": _hard(2.5),
}


def gaussian_averages(activation: str) -> GaussianAverages:
    """The averages of an activation: in closed form where one is known, else by quadrature.

    Raises ValueError for a name that is not in ``ACTIVATIONS``.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation={activation!r} is unknown; allowed are {', '.join(ACTIVATIONS)}")
    return _CLOSED.get(activation) or Quadrature(ACTIVATIONS[activation])
