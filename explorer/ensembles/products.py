"""Gradients through many random layers, tied or untied: fans over seeds and spectra of the whole product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.engine import graded_svd
from explorer.engine.graded_svd import Graded
from explorer.ensembles.layers import Layers, LayerStack, draw_directions, draw_inputs, draw_layers

ROUNDING = 1e-5
"""Decades: spreads below this come from float32 alone."""
LARGEST_STATE = 512
"""Units a layer may have for ``product_singular_values``."""

_LOG10_2 = float(np.log10(2))
_CHUNK = 2**24  # entries of matrices held at once; a single seed may have more
_STRAIN = 5e5  # the condition a product's basis may reach before it is made orthogonal again
_STEEP = 1e-2  # slopes of one layer that differ more are factored out before the matrix
_DOUBTFUL = 1e-3  # singular values whose estimated relative error is larger are not shown


@dataclass(frozen=True)
class GradientFan:
    r"""How long a gradient is after k layers, for every seed.

    Attributes:
        stack: what was drawn.
        log_norms: [count, K+1], :math:`\log_{10}\lVert\delta_k\rVert` of δ_0 = v, a random direction of
            length 1, and :math:`\delta_k = (J_K J_{K-1}\cdots J_{K-k+1})^\top v` with J_l = ∂h_l/∂h_{l−1}:
            the Euclidean norm of a vector, neither a Frobenius nor a spectral norm. Right to 1e-5 decades
            (float32 products, exponents carried) for the masks of a float32 forward pass: a ReLU unit whose
            pre-activation is 0 up to rounding may count as open or shut. −inf where it is exactly 0.
    """

    stack: LayerStack
    log_norms: np.ndarray

    @property
    def zeros(self) -> np.ndarray:
        """[K+1]: in how many seeds the gradient is exactly 0."""
        return np.asarray(np.isneginf(self.log_norms).sum(axis=0))

    @property
    def mean(self) -> np.ndarray:
        """[K+1], decades: mean of log10‖δ_k‖ over the seeds where it is not 0; −inf where there is none."""
        alive = np.isfinite(self.log_norms)
        total = np.where(alive, self.log_norms, 0.0).sum(axis=0)
        return np.asarray(np.where(alive.any(axis=0), total / np.maximum(alive.sum(axis=0), 1), -np.inf))

    @property
    def spread(self) -> np.ndarray:
        """[K+1], decades: standard deviation of log10‖δ_k‖ over the seeds where it is not 0.

        0 where it is below ``ROUNDING``, NaN with fewer than two seeds.
        """
        alive = np.isfinite(self.log_norms)
        freedom = alive.sum(axis=0) - 1.0
        away = np.where(alive, self.log_norms, 0.0) - np.where(alive, self.mean, 0.0)
        found = np.sqrt(np.square(away).sum(axis=0) / np.where(freedom > 0, freedom, np.nan))
        return np.asarray(np.where(found < ROUNDING, 0.0, found))

    @property
    def factor(self) -> float:
        """By how much one layer multiplies the gradient: 10^(mean after K layers / K)."""
        return float(10 ** (self.mean[-1] / self.stack.depth))


def gradient_fan(stack: LayerStack) -> GradientFan:
    r"""One backward pass through every seed's stack, all seeds at once.

    In every layer :math:`\delta_{k+1} = W^\top(\varphi'(a)\odot\delta_k)`, or δ_k + ε times that beside a
    residual connection, with a = W h of the seed's own forward pass.

    **What the fans show.** With independent matrices the logarithms of the factors add like a random walk:
    spread ∝ √k. One matrix repeated ends at k·ln ρ(W) with ρ its spectral radius, and ρ differs from seed to
    seed: spread ∝ k, while the mean factor of a layer is nearly the same. ``growth_laws`` has the theory.

    **Why ReLU needs the identity in a recurrent network and not in a convolutional one.** That "independent
    layers cancel" is half the truth: independence keeps the spread small, not the mean at 1. What keeps ReLU
    layers at 1 is σ_w² = 2 (He et al. 2015); PyTorch's default, σ_w² = 1/3, multiplies the gradient by
    √(1/6) = 0.408 in each independent layer too. The same σ_w² = 2 serves the mean of a repeated matrix, but
    its spread grows as k, over more steps than a network has layers: single seeds vanish or explode. The
    identity has no luck to repeat: all its eigenvalues are 1 (Le, Jaitly & Hinton 2015).

    Returns:
        GradientFan; the same numbers for a seed whatever ``count`` and the other seeds are.
    """
    size = max(1, _CHUNK // stack.entries)
    parts = [stack.seeds[start : start + size] for start in range(0, stack.count, size)]
    keep = len(parts) == 1
    fans = [_fan(draw_layers(stack, part, keep=keep), part) for part in parts]
    return GradientFan(stack, np.concatenate(fans))


def _fan(layers: Layers, seeds: Sequence[int]) -> np.ndarray:
    """[S, K+1]."""
    stack, residual = layers.stack, layers.stack.joined.residual
    slopes = _slopes(layers, seeds)
    adjoint = draw_directions(stack, seeds)
    exponents = np.zeros((stack.depth + 1, len(seeds)), np.int64)
    squares = np.ones((stack.depth + 1, len(seeds)))
    for back, layer in enumerate(reversed(range(stack.depth)), start=1):
        arriving = adjoint if slopes is None else slopes[layer] * adjoint
        largest = adjoint if residual else arriving
        power = np.frexp(np.abs(largest).max(axis=(1, 2)))[1]
        arriving = np.ldexp(arriving, -power[:, None, None])
        adjoint_before = np.ldexp(adjoint, -power[:, None, None]) if residual else 0.0
        pulled = layers.pull(layer, arriving)
        adjoint = adjoint_before + stack.branch_scale * pulled if residual else pulled
        exponents[back] = exponents[back - 1] + power
        squares[back] = np.einsum("scp,scp->s", adjoint, adjoint)
    with np.errstate(divide="ignore"):
        return np.asarray((0.5 * np.log10(squares) + exponents * _LOG10_2).T)


def _slopes(layers: Layers, seeds: Sequence[int]) -> np.ndarray | None:
    """φ′(a_l), [K, S, C, P], of a forward pass; None where all are 1."""
    stack, function = layers.stack, layers.stack.function
    if function.name == "linear":
        return None
    state = draw_inputs(stack, seeds)
    sums = np.empty((stack.depth, *state.shape))
    for layer in range(stack.depth):
        sums[layer] = layers.push(layer, state)
        branch = function.function(sums[layer])
        state = state + stack.branch_scale * branch if stack.joined.residual else branch
        if function.homogeneous:  # a power of two changes no slope
            state = np.ldexp(state, -np.frexp(np.abs(state).max(axis=(1, 2)))[1][:, None, None])
    return function.slope(sums)


# ---- the whole product of one seed ----


def product_singular_values(
    stack: LayerStack, depths: Sequence[int], *, seed: int | None = None
) -> np.ndarray:
    r"""log10 of all singular values of :math:`J_K J_{K-1}\cdots J_{K-k+1}` of one seed, however small.

    Args:
        stack: what is drawn; ``count`` does not matter.
        depths: numbers of layers k in 0 … K.
        seed: which network; the first unless told.

    Returns:
        [len(depths), n] in decades, descending, n = C·P units (N in dense layers). The matrices are those of
        ``gradient_fan``; products are taken in float64 with an exponent for every direction, so 1e-1000 is as
        good as 1 (``engine/graded_svd.py``). −inf: exactly 0, from dead ReLU units; NaN: not known to 1e-3.

    Raises:
        ValueError: a depth outside 0 … K, or more than ``LARGEST_STATE`` units.
    """
    units = stack.shape[0] * stack.shape[1]
    if units > LARGEST_STATE:
        name = "channels · positions" if stack.joined.convolution else "width"
        raise ValueError(f"{name} is {units}; allowed for singular values is at most {LARGEST_STATE}")
    wanted = [int(k) for k in depths]
    for k in wanted:
        if not 0 <= k <= stack.depth:
            raise ValueError(f"depths contains {k}; allowed are the numbers of layers 0 … {stack.depth}")
    chosen = [stack.seed if seed is None else seed]
    drawn = draw_layers(stack, chosen)
    product = _Product(replace(drawn, base=drawn.base.astype(np.float64)), chosen)
    start = Graded(np.eye(units), np.zeros(units, np.int64), np.zeros(units))
    tops = {stack.depth - k for k in wanted}
    found = {
        stack.depth - at: _log10_values(x, units)
        for at, x in graded_svd.graded_products(
            product.step, start, stack.depth, tops, needed=units, strain=_STRAIN
        )
    }
    return np.stack([found[k] for k in wanted]) if wanted else np.zeros((0, units))


class _Product:
    """The transposed Jacobians of one seed in float64."""

    def __init__(self, layers: Layers, seeds: Sequence[int]) -> None:
        self._layers = layers
        self._slopes = _slopes(layers, seeds)

    def step(self, layer: int, x: Graded) -> Graded:
        """J_lᵀ x; slopes of very different size are factored out first, which finds exact zeros."""
        stack = self._layers.stack
        slopes = None if self._slopes is None else self._slopes[layer].reshape(-1)
        if stack.joined.residual:
            branch = x.basis if slopes is None else slopes[:, None] * x.basis
            return Graded(x.basis + stack.branch_scale * self._pull(layer, branch), x.exponents, x.doubt)
        if slopes is not None:
            steep = slopes.min() < _STEEP * slopes.max()
            x = Graded(slopes[:, None] * x.basis, x.exponents, x.doubt)
            x = graded_svd.condense(x, pivot=True) if steep else x
        return Graded(self._pull(layer, x.basis), x.exponents, x.doubt)

    def _pull(self, layer: int, basis: np.ndarray) -> np.ndarray:
        """W_lᵀ of every column, [n, M]."""
        if basis.shape[1] == 0:
            return basis
        columns = np.ascontiguousarray(basis.T).reshape(-1, *self._layers.stack.shape)
        return self._layers.pull(layer, columns).reshape(len(columns), -1).T


def _log10_values(x: Graded, units: int) -> np.ndarray:
    """[n]: log10 σ_i with −inf for zeros and NaN for what cannot be known."""
    if not isinstance(x, graded_svd.Condensed):
        x = graded_svd.condense(x)
    values = graded_svd.log2_singular_values(x.core, x.exponents) * _LOG10_2
    values[~(x.doubt <= _DOUBTFUL)] = np.nan
    result = np.full(units, -np.inf)
    result[: len(values)] = values
    return result
