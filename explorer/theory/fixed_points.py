"""Fixed points, cycles of two steps and bifurcations of one unit, h ← φ(w·h + b).

Sources: Doya (1993), "Bifurcations of recurrent neural networks in gradient descent learning"; Pascanu,
Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks", section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer.activations import ACTIVATIONS, Activation

_HALVINGS = 64
_NEUTRAL = 1e-12


@dataclass(frozen=True)
class FixedPoints:
    """All h* = φ(w·h* + b), ascending, for every weight; NaN where there are fewer than three.

    Attributes:
        states: h*, [..., 3] for weights of the shape [...].
        factors: w·φ′(w·h* + b), by which one step multiplies the gradient, [..., 3]; φ′ is that of the
            registry, at a kink that of PyTorch.
        growth: by which one step multiplies a small disturbance, [..., 3]: |factor|, except at a kink of φ,
            where both sides count.
        continuum: [...], True where every h of an interval is a fixed point, as for ReLU with w = 1, b = 0;
            one of them is listed.
    """

    states: np.ndarray
    factors: np.ndarray
    growth: np.ndarray
    continuum: np.ndarray

    @cached_property
    def kinds(self) -> np.ndarray:
        """``stable``, ``unstable`` or, where the growth is 1, ``neutral``; "" where none is, [..., 3]."""
        return kinds(self.growth)


def kinds(growth: np.ndarray) -> np.ndarray:
    """The kind of each fixed point by the growth of a disturbance; "" for NaN."""
    with np.errstate(invalid="ignore"):
        known = np.where(np.isclose(growth, 1, rtol=0, atol=_NEUTRAL), "neutral", "")
        return np.where(
            known != "", known, np.where(growth < 1, "stable", np.where(growth > 1, "unstable", ""))
        )


def fixed_points(weight: float | np.ndarray, bias: float = 0.0, activation: str = "tanh") -> FixedPoints:
    """Every fixed point of one unit, for all weights at once; to rounding.

    With a = w·h + b the fixed points are the zeros of G(a) = w·φ(a) + b − a. Each φ here is homogeneous,
    which has a closed form, or a sigmoid, whose slope falls to both sides of a = 0; then G rises where
    w·φ′(a) > 1, between −c and c, falls outside, and bisection on the three pieces misses nothing.

    Raises:
        ValueError: a number is not finite, or the activation is unknown.
    """
    phi, w = _activation(activation), _finite("weight", weight)
    b = float(_finite("bias", bias))
    flat = np.atleast_1d(w).ravel()
    at, continuum = _zeros(phi, flat, b)
    shape = (*w.shape, 3)
    states, factors, growth = (part.reshape(shape) for part in _points(phi, flat[:, None], at))
    return FixedPoints(states, factors, growth, continuum.reshape(w.shape))


def _zeros(phi: Activation, w: np.ndarray, b: float) -> tuple[np.ndarray, np.ndarray]:
    """The pre-activations of all fixed points, ascending [M, 3], and where they fill an interval, [M]."""
    at = np.sort(_homogeneous(phi, w, b) if phi.homogeneous else _sigmoidal(phi, w, b), axis=-1)
    one = np.ones(1)
    straight = phi.slope(one) == phi.slope(one / 2)
    continuum = straight & (w * phi.slope(one) == 1) & (w * phi.function(one) + b == one)
    at[continuum] = [1.0, np.nan, np.nan]
    return at, continuum


def _points(phi: Activation, w: np.ndarray, at: np.ndarray) -> list[np.ndarray]:
    """States, factors and growth at pre-activations ``at``, NaN where these are; ``w`` is broadcast."""
    known = np.isfinite(at)
    a = np.where(known, at, 0.0)
    left, right = phi.slope(np.nextafter(a, -np.inf)), phi.slope(np.nextafter(a, np.inf))
    growth = np.where(w < 0, np.abs(w) * np.sqrt(left * right), w * np.maximum(left, right))
    return [np.where(known, part, np.nan) for part in (phi.function(a), w * phi.slope(a), growth)]


def _homogeneous(phi: Activation, w: np.ndarray, b: float) -> np.ndarray:
    """a = b/(1 − w) where φ(a) = a, and a = b where φ(b) = 0, [M, 3]."""
    at = np.full((len(w), 3), np.nan)
    moving = np.divide(b, 1 - w, where=w != 1, out=np.full(len(w), np.nan))
    above = phi.function(np.nan_to_num(moving)) == moving
    at[above, 0] = moving[above]
    if phi.function(np.array([b]))[0] == 0:
        at[at[:, 0] != b, 1] = b
    return at


def _sigmoidal(phi: Activation, w: np.ndarray, b: float) -> np.ndarray:
    """Zeros of G by bisection on the pieces that end at −c and c, [M, 3]."""
    low, high = np.zeros(len(w)), np.maximum(w, 0.0)  # w·φ′(a) ≤ 1 for every a ≥ w > 1
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        steep = w * phi.slope(middle) > 1
        low, high = np.where(steep, middle, low), np.where(steep, high, middle)
    turn = np.where(w * phi.max_slope > 1, low, 0.0)
    reach = w[:, None] * np.array(phi.range) + b
    ends = np.stack([reach.min(axis=1) - 1, -turn, turn, reach.max(axis=1) + 1], axis=1)
    rising = np.array([-1.0, 1.0, -1.0])

    def upward(a: np.ndarray) -> np.ndarray:
        return np.asarray(rising * (w[:, None] * phi.function(a) + b - a))

    low, high = ends[:, :-1], ends[:, 1:]
    bottom, top = upward(low), upward(high)
    inner = np.array([False, True, False])  # the inner piece owns its ends
    there = np.where(inner, (bottom <= 0) & (top >= 0), (bottom < 0) & (top > 0))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        value = upward(middle)
        low, high = np.where(value <= 0, middle, low), np.where(value >= 0, middle, high)
    return np.where(there, (low + high) / 2, np.nan)


# ---- cycles of two steps ----


@dataclass(frozen=True)
class TwoCycles:
    """h ← f(h) swaps two states: an orbit of period 2.

    Attributes:
        states: the smaller and the larger one, [..., 2]; NaN where there is none.
        factors: the product of the factors of its two steps, [...].
    """

    states: np.ndarray
    factors: np.ndarray


def two_cycles(weight: float | np.ndarray, bias: float = 0.0, activation: str = "tanh") -> TwoCycles:
    """The stable orbit of period 2, which exists where the fixed point has a factor below −1.

    f falls for w < 0, so f∘f rises; it is above h just above the fixed point, and not above h at the largest
    value that f can take. The cycle lies between, found by bisection. A linear unit has no stable one.

    Raises:
        ValueError: as ``fixed_points``.
    """
    points, phi = fixed_points(weight, bias, activation), _activation(activation)
    shape = points.continuum.shape
    w, start, growth = (np.ravel(part) for part in (weight, points.states[..., 0], points.growth[..., 0]))
    if not np.isfinite(phi.range[0]):
        return TwoCycles(np.full((*shape, 2), np.nan), np.full(shape, np.nan))

    def step(h: np.ndarray) -> np.ndarray:
        return np.asarray(phi.function(w * h + bias))

    flips = (w < 0) & (growth > 1)
    low = np.where(flips, start, 0.0)
    high = np.where(flips, step(np.full(len(w), phi.range[0])), 0.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = step(step(middle)) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    states = np.stack([step(high), high], axis=-1)
    factors = np.prod(w[:, None] * phi.slope(w[:, None] * states + bias), axis=-1)
    states, factors = np.where(flips[:, None], states, np.nan), np.where(flips, factors, np.nan)
    return TwoCycles(states.reshape(*shape, 2), factors.reshape(shape))


# ---- along the weight ----


@dataclass(frozen=True)
class Bifurcation:
    """Fixed points over the weight, as curves with NaN between them.

    Attributes:
        weight, state, factor, growth: [M], in the order of each curve, which may turn back in w at a fold.
        cycle_weight: [K], ascending.
        cycles: the stable orbit of period 2 there, if any.
    """

    weight: np.ndarray
    state: np.ndarray
    factor: np.ndarray
    growth: np.ndarray
    cycle_weight: np.ndarray
    cycles: TwoCycles


def bifurcation(weights: np.ndarray, bias: float = 0.0, activation: str = "tanh") -> Bifurcation:
    """All fixed points of one unit over an ascending grid of weights [W], with whole folds.

    Wherever φ(a) ≠ 0 each pre-activation a belongs to exactly one weight, w = (a − b)/φ(a). So the points at
    the given weights are joined in the order of a, with points at evenly spaced a in between, which close the
    folds. If φ(b) = 0, h = 0 is a fixed point for every weight: a curve of its own.

    Raises:
        ValueError: as ``fixed_points``, or ``weights`` are not ascending.
    """
    phi, grid = _activation(activation), _finite("weights", weights)
    if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise ValueError(f"weights have the shape {list(grid.shape)}; allowed are two or more, ascending")
    b = float(_finite("bias", bias))
    at = _zeros(phi, grid, b)[0]
    between = np.linspace(np.nanmin(at, initial=-1.0), np.nanmax(at, initial=1.0), 2 * len(grid) + 1)
    a, w = np.append(at.ravel(), between), np.append(np.repeat(grid, 3), between * np.nan)
    kept = np.isfinite(a) & (phi.function(a) != 0)
    a, w = a[kept], w[kept]
    w = np.where(np.isnan(w), (a - b) / phi.function(a), w)
    order = np.argsort(a)
    a, w = a[order], w[order]
    if phi.function(np.array([b]))[0] == 0:
        a = np.concatenate([a, [np.nan], np.full(len(grid), b)])
        w = np.concatenate([w, [np.nan], grid])
    elif phi.range[0] < 0:  # w runs to ±∞ where φ changes its sign
        breaks = np.flatnonzero(np.diff(np.sign(a))) + 1
        a, w = np.insert(a, breaks, np.nan), np.insert(w, breaks, np.nan)
    with np.errstate(invalid="ignore"):
        inside = (w >= grid[0]) & (w <= grid[-1])
    a, w = np.where(inside, a, np.nan), np.where(inside, w, np.nan)
    state, factor, growth = _points(phi, w, a)
    fine = _with_onsets(grid, w, factor)
    return Bifurcation(w, state, factor, growth, fine, two_cycles(fine, b, activation))


def _with_onsets(grid: np.ndarray, weight: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """The grid with more weights where a factor passes −1: a cycle opens there like a square root."""
    low, high = np.minimum(factor[:-1], factor[1:]), np.maximum(factor[:-1], factor[1:])
    crossed = np.flatnonzero((low < -1) & (high >= -1))
    share = (-1 - factor[crossed]) / (factor[crossed + 1] - factor[crossed])
    onsets = weight[crossed] + share * (weight[crossed + 1] - weight[crossed])
    near = np.linspace(0, 1, 13)[1:] ** 4 * (grid[1] - grid[0])
    extra = (onsets[:, None] + np.concatenate([-near, near])).ravel()
    return np.unique(np.concatenate([grid, extra[(extra > grid[0]) & (extra < grid[-1])]]))


# ---- orbits ----


def orbit(
    weight: float, bias: float = 0.0, start: float = 0.1, steps: int = 50, activation: str = "tanh"
) -> tuple[np.ndarray, np.ndarray]:
    """States h_0 … h_T of one unit, and log10 |∂h_t/∂h_0| for every t, [T+1] each.

    The derivative is the product of the factors w·φ′, summed as logarithms; −inf once one of them is 0.

    Raises:
        ValueError: as ``fixed_points``, or ``steps`` is negative.
    """
    phi = _activation(activation)
    w, b, h = (
        float(_finite(name, value)) for name, value in (("weight", weight), ("bias", bias), ("start", start))
    )
    if steps < 0:
        raise ValueError(f"steps is {steps}; allowed is 0 or more")
    states, before = np.empty(steps + 1), np.empty(steps)
    states[0] = h
    with np.errstate(over="ignore", divide="ignore"):
        for t in range(steps):
            before[t] = w * states[t] + b
            states[t + 1] = phi.function(before[t : t + 1])[0]
        logs = np.log10(np.abs(w * phi.slope(before)))
    return states, np.concatenate([[0.0], np.cumsum(logs)])


def approached_from(
    weight: float, bias: float = 0.0, start: float = 0.1, activation: str = "tanh", steps: int = 1000
) -> int | None:
    """Place among the fixed points of the one that an orbit is within 1e-6 of after ``steps``, if any.

    Raises:
        ValueError: as ``orbit``.
    """
    end = orbit(weight, bias, start, steps, activation)[0][-1]
    distances = np.abs(fixed_points(weight, bias, activation).states - end)
    near = np.flatnonzero(distances < 1e-6)
    return int(near[0]) if len(near) else None


def _activation(name: str) -> Activation:
    if name not in ACTIVATIONS:
        raise ValueError(f"activation is {name!r}; allowed are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def _finite(name: str, value: float | np.ndarray) -> np.ndarray:
    array = np.asarray(value, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is {value}; allowed are finite numbers")
    return array
