r"""Mean field of wide random networks: how far a signal, a likeness and a gradient get, by σ_w and σ_b.

A layer is :math:`a_l = W_l\,\varphi(a_{l-1}) + b_l + x_l`: the entries of W are independent with variance
σ_w²/N, those of b have mean μ and variance σ_b², the drive x has variance σ_x² and is fresh in every layer.
As N → ∞ the pre-activations a are Gaussian with mean μ. Their variance q, the *length*, and the correlation c
of two networks with the same weights and the same drive that start differently follow (Poole et al. 2016;
Schoenholz et al. 2017)

.. math::
    q_{l+1} &= \sigma_w^2\, E[\varphi(a)^2] + \sigma_b^2 + \sigma_x^2 \\
    c_{l+1} &= \bigl(\sigma_w^2\, E[\varphi(a)\varphi(a')] + \sigma_b^2 + \sigma_x^2\bigr) / q^* \\
    \chi_1 &= \sigma_w^2\, E[\varphi'(a)^2] = \partial c_{l+1}/\partial c_l \text{ at } c = 1

χ₁ is also the factor by which a layer multiplies the mean square of a gradient. For a recurrent network,
whose layers share one matrix, all this holds as N → ∞ too (Chen, Pennington & Schoenholz 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from explorer.theory.fixed_lengths import MARGINAL, TINY, critical_gains, fixed_lengths
from explorer.theory.gaussian_averages import GaussianAverages, Pair, gaussian_averages

Number = TypeVar("Number", float, np.ndarray)
_NEWTON_STEPS = 100  # close to the critical point, where two fixed points meet, each only halves the error
_ROUNDING = 1e-15  # of a correlation


@dataclass(frozen=True)
class MeanField(Generic[Number]):
    """The fixed points of one network, as floats, or of many, as arrays of one shape.

    Attributes:
        activation: name of φ.
        sigma_w: σ_w: the entries of W have standard deviation σ_w/√N.
        sigma_b: σ_b, the standard deviation of the biases.
        input_variance: σ_x², the variance of what the input adds to a pre-activation.
        bias_mean: μ, a constant added to every pre-activation.
        q: the length at which a small start settles; inf where it grows without bound (ReLU beyond σ_w = √2),
            NaN where every length stays as it is (ReLU at σ_w = √2 without biases and input).
        chi: χ₁, the factor of a gradient's mean square: below 1 gradients vanish, above 1 they explode.
        c: the stable correlation: 1 if χ₁ ≤ 1, less in chaos. Where q = 0 it is the limit of vanishing
            biases. Where q is inf or NaN, biases and input do not matter: it is 1 for ReLU, and NaN for
            linear, which keeps every correlation.
        chi_c: the slope ∂c_{l+1}/∂c_l at c.
        xi_q: layers after which a small deviation of the length has fallen to 1/e, inf if it never does.
        xi_c: layers after which a small deviation of the correlation has fallen to 1/e: −1/ln χ_c.
    """

    activation: str
    sigma_w: Number
    sigma_b: Number
    input_variance: Number
    bias_mean: Number
    q: Number
    chi: Number
    c: Number
    chi_c: Number
    xi_q: Number
    xi_c: Number

    def next_length(self, q: ArrayLike) -> np.ndarray:
        """q_{l+1} of lengths q_l ≥ 0."""
        return length_map(
            self.activation,
            self.sigma_w,
            self.sigma_b,
            q,
            input_variance=self.input_variance,
            bias_mean=self.bias_mean,
        )

    def next_correlation(self, c: ArrayLike) -> np.ndarray:
        """c_{l+1} of correlations c_l between −1 and 1, at the length q."""
        return self._next_correlation(_correlation(c))[0]

    @cached_property
    def _next_correlation(self) -> Pair:
        """c → (c_{l+1}, its slope): what one step costs is finding the averages, which are kept."""
        numbers = (self.sigma_w, self.sigma_b, self.input_variance, self.q, self.bias_mean)
        sigma, bias, power, q, mean = (np.asarray(number, np.float64) for number in numbers)
        return _correlations(gaussian_averages(self.activation), sigma, np.square(bias) + power, q, mean)


def mean_field(
    activation: str = "tanh",
    *,
    sigma_w: float,
    sigma_b: float = 0.0,
    input_variance: float = 0.0,
    bias_mean: float = 0.0,
) -> MeanField[float]:
    """Fixed points, χ₁ and depth scales of one random network.

    Closed forms for ReLU, linear and the hard sigmoids, quadrature for the others. Up to σ_w = 16, q and χ₁
    are right to 1e-10, and c to 1e-9 where χ₁ differs from 1 by more than 1e-3.

    Args:
        activation: a name of ``ACTIVATIONS``.
        sigma_w: σ_w ≥ 0; 1/√3 for PyTorch's uniform recurrent weights.
        sigma_b: σ_b ≥ 0.
        input_variance: σ_x² ≥ 0.
        bias_mean: μ.

    Raises:
        ValueError: an activation that is not registered, or a number that is out of range.
    """
    found = mean_field_curve(
        activation, sigma_w=sigma_w, sigma_b=sigma_b, input_variance=input_variance, bias_mean=bias_mean
    )
    numbers = {name: float(value) for name, value in vars(found).items() if name != "activation"}
    return MeanField(activation, **numbers)


def mean_field_curve(
    activation: str = "tanh",
    *,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike = 0.0,
    input_variance: ArrayLike = 0.0,
    bias_mean: ArrayLike = 0.0,
) -> MeanField[np.ndarray]:
    """As ``mean_field`` for many networks at once, such as a curve over σ_w; arguments broadcast."""
    averages = gaussian_averages(activation)
    numbers = _checked(sigma_w=sigma_w, sigma_b=sigma_b, input_variance=input_variance, bias_mean=bias_mean)
    sigma, bias, power, mean = (number.ravel() for number in numbers)
    gain, drive = np.square(sigma), np.square(bias) + power
    q = fixed_lengths(activation, gain, drive, mean)
    at, mean_at = _where_averaged(q, mean)
    chi = gain * averages.slope_square(at, mean_at)
    chi_q = gain * averages.square_rate(at, mean_at)
    c, chi_c = np.ones(len(q)), chi.copy()
    free = ~np.isfinite(q)
    chaos = (chi > 1 + MARGINAL) & (q > 0) & ~free
    if free.any():
        step = _correlations(averages, sigma[free], drive[free], q[free], mean[free])
        c[free] = np.where(step(np.zeros(1))[1] < 1 - MARGINAL, 1.0, np.nan)
        chi_c[free] = step(np.ones(1))[1]
    if chaos.any():
        step = _correlations(averages, sigma[chaos], drive[chaos], q[chaos], mean[chaos])
        c[chaos], chi_c[chaos] = _below_one(step, int(chaos.sum()))
    found = (q, chi, c, chi_c, _depth(chi_q), _depth(chi_c))
    return MeanField(activation, *numbers, *(value.reshape(numbers[0].shape) for value in found))


def chi_1(
    activation: str = "tanh",
    *,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike = 0.0,
    input_variance: ArrayLike = 0.0,
    bias_mean: ArrayLike = 0.0,
) -> np.ndarray:
    """χ₁ alone, as ``mean_field_curve`` gives it but several times faster: for maps of many points."""
    numbers = _checked(sigma_w=sigma_w, sigma_b=sigma_b, input_variance=input_variance, bias_mean=bias_mean)
    sigma, bias, power, mean = (number.ravel() for number in numbers)
    q = fixed_lengths(activation, np.square(sigma), np.square(bias) + power, mean)
    slope_square = gaussian_averages(activation).slope_square(*_where_averaged(q, mean))
    return np.asarray(np.square(sigma) * slope_square).reshape(numbers[0].shape)


def length_map(
    activation: str,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike,
    q: ArrayLike,
    *,
    input_variance: ArrayLike = 0.0,
    bias_mean: ArrayLike = 0.0,
) -> np.ndarray:
    """q_{l+1} = σ_w² E[φ(a)²] + σ_b² + σ_x² of lengths q_l; arguments broadcast.

    Raises ValueError for an unknown activation and for numbers out of range.
    """
    averages = gaussian_averages(activation)
    sigma, bias, power, mean = _checked(
        sigma_w=sigma_w, sigma_b=sigma_b, input_variance=input_variance, bias_mean=bias_mean
    )
    (length,) = _checked(q=q)
    square = averages.square(np.maximum(length, TINY), mean)
    return np.asarray(np.square(sigma) * square + np.square(bias) + power)


def correlation_map(
    activation: str,
    sigma_w: ArrayLike,
    sigma_b: ArrayLike,
    c: ArrayLike,
    *,
    input_variance: ArrayLike = 0.0,
    bias_mean: ArrayLike = 0.0,
) -> np.ndarray:
    """c_{l+1} of correlations c_l between −1 and 1, both networks at the length q*; arguments broadcast.

    Raises ValueError for an unknown activation and for numbers out of range.
    """
    sigma, bias, power, mean = _checked(
        sigma_w=sigma_w, sigma_b=sigma_b, input_variance=input_variance, bias_mean=bias_mean
    )
    correlation = _correlation(c)
    drive = np.square(bias) + power
    q = fixed_lengths(activation, np.square(sigma).ravel(), drive.ravel(), mean.ravel()).reshape(sigma.shape)
    return _correlations(gaussian_averages(activation), sigma, drive, q, mean)(correlation)[0]


def critical_line(
    activation: str,
    sigma_b: ArrayLike,
    *,
    input_variance: ArrayLike = 0.0,
    bias_mean: ArrayLike = 0.0,
) -> np.ndarray:
    """The σ_w at which χ₁ = 1 for each σ_b: neither vanishing nor exploding; NaN where there is none.

    tanh without biases 1, with σ_b² = 0.05 √1.760955; ReLU √2. Arguments broadcast. Raises ValueError for
    an unknown activation and for numbers out of range.
    """
    bias, power, mean = _checked(sigma_b=sigma_b, input_variance=input_variance, bias_mean=bias_mean)
    gains = critical_gains(activation, (np.square(bias) + power).ravel(), mean.ravel())
    return np.asarray(np.sqrt(gains)).reshape(bias.shape)


def _where_averaged(q: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths and means to take averages at: only ratios are left where a length has no finite limit."""
    settled = np.isfinite(q)
    return np.where(settled, np.maximum(q, TINY), 1.0), np.where(settled, mean, 0.0)


def _correlations(
    averages: GaussianAverages, sigma: np.ndarray, drive: np.ndarray, q: np.ndarray, mean: np.ndarray
) -> Pair:
    """c → (c_{l+1}, its slope) at the fixed lengths q; the drive is equal for both networks.

    For q = 0 it is as much as keeps a tiny length; where the length has no limit it is nothing.
    """
    at, mean_at = _where_averaged(q, mean)
    square, pair = averages.square(at, mean_at), averages.pair(at, mean_at)
    free = ~np.isfinite(q)
    gain = np.where(free, 1 / np.where(free, square, 1.0), np.square(sigma))
    drive = np.where(free | (q == 0), at - gain * square, drive)

    def step(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        product, slope = pair(c)
        return (gain * product + drive) / at, gain * slope

    return step


def _below_one(step: Pair, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The fixed point below 1 and the slope there, [count].

    The map is convex in c ≥ 0, since its power series has no negative coefficient: from 0 Newton's steps
    approach the smaller of the two fixed points from below.
    """
    c = np.zeros(count)
    for _ in range(_NEWTON_STEPS):
        value, slope = step(c)
        far = (value - c > _ROUNDING) & (slope < 1)
        if not far.any():
            break
        c = np.where(far, c + (value - c) / np.where(far, 1 - slope, 1.0), c)
    return c, slope


def _depth(slope: np.ndarray) -> np.ndarray:
    """−1/ln |slope|; inf for slopes of 1 and above, 0 for a slope of 0."""
    size = np.abs(slope)
    with np.errstate(divide="ignore"):
        return np.where(size < 1 - MARGINAL, -1 / np.log(np.minimum(size, 1 - MARGINAL)), np.inf)


def _checked(**numbers: ArrayLike) -> list[np.ndarray]:
    """The numbers as float64 arrays of one shape, or a ValueError that names the first one out of range."""
    arrays = [np.asarray(value, np.float64) for value in numbers.values()]
    for name, array in zip(numbers, arrays, strict=True):
        good = np.isfinite(array) & ((array >= 0) | (name == "bias_mean"))
        if not good.all():
            allowed = "finite numbers" if name == "bias_mean" else "finite numbers of at least 0"
            raise ValueError(f"{name} is {_first(array, ~good)}; allowed are {allowed}")
    return list(np.broadcast_arrays(*arrays))


def _correlation(c: ArrayLike) -> np.ndarray:
    """c as float64, or a ValueError that names the first one out of range."""
    correlation = np.asarray(c, np.float64)
    allowed = np.abs(correlation) <= 1
    if not allowed.all():
        raise ValueError(f"c is {_first(correlation, ~allowed)}; allowed are numbers from −1 to 1")
    return correlation


def _first(values: np.ndarray, bad: np.ndarray) -> float:
    """The first bad value."""
    return float(values[bad].flat[0])
