"""What theory says about the gradient after k random layers: exact laws, mean field, spectral radius.

A layer that multiplies the squared length of every fixed vector by c·χ²_M, M degrees of freedom that may be
random themselves, adds ½ ln(c·χ²_M) to the logarithm, independently of all other layers:

    E ½ ln χ²_M = ½ (ln 2 + E ψ(M/2)),    Var ½ ln χ²_M = ¼ (E ψ₁(M/2) + Var ψ(M/2))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from explorer.ensembles.layers import LayerStack, draw_directions, draw_layers

EXACT = "exact law"
SAME_VARIANCE = "law of Gaussian matrices of the same variance"
MEAN_FIELD = "mean field, N → ∞"
SPECTRAL_RADIUS = "spectral radius, k → ∞"

_LN10 = float(np.log(10))
_SAME_SIZE = 1e-9  # eigenvalues whose moduli differ by less are one conjugate pair


@dataclass(frozen=True)
class GrowthLaw:
    """Mean and spread over seeds of log10‖δ_k‖ in theory.

    Attributes:
        name: how far it holds: ``EXACT``, ``SAME_VARIANCE``, ``MEAN_FIELD`` or ``SPECTRAL_RADIUS``.
        mean: [K+1], decades.
        spread: [K+1], decades; None where it is not known.
    """

    name: str
    mean: np.ndarray
    spread: np.ndarray | None


def growth_law(stack: LayerStack) -> GrowthLaw | None:
    r"""The law of ``gradient_fan``'s mean and spread, given that the gradient is not exactly 0.

    Independent dense Gaussian layers of standard deviation σ_w/√N are exact, at any width:

    - linear: :math:`\lVert Wv\rVert^2 = (\sigma_w^2/N)\,\chi^2_N`, so a layer adds
      :math:`\tfrac12(\ln(2\sigma_w^2/N) + \psi(N/2))`, about ln σ_w − 1/(2N), with variance ψ₁(N/2)/4;
    - ReLU: :math:`(\sigma_w^2/N)\,\chi^2_M`, M the heads of N coins: flipping the sign of a row of W
      exchanges an open unit for a shut one and leaves (W v)² alone, so the mask is independent of it. About
      ½ ln(σ_w²/2) − 5/(4N), variance 5/(4N) (Hanin & Nica 2020, Comm. Math. Phys. 376);
    - residual and linear: :math:`\lVert v + \varepsilon Wv\rVert^2` is (ε²σ_w²/N)·χ²_N with noncentrality
      λ = N/(εσ_w)², hence M = N + 2·Poisson(λ/2).

    They hold for ‖J u‖ of a fixed u. The gradient ‖Jᵀv‖ has the same law, since v is uniform on the sphere
    and independent of J: with the singular values Σ of J, both are ‖Σ w‖ with w uniform. PyTorch's uniform
    matrices follow the Gaussian law up to O(1/N²) a layer.

    Linear orthogonal layers, and identities behind linear units or ReLU, multiply by an exact factor. Other
    independent linear and ReLU layers, convolutions among them, have the mean-field factor σ_w or σ_w/√2. It
    is the root mean square at any width; the mean of the logarithm lies below it.

    Returns:
        None where none of these applies: one repeated matrix (``spectral_law``), saturating activations, a
        residual ReLU (its branch is correlated with the state), gain 0.
    """
    if stack.gain == 0 or stack.activation not in ("linear", "relu"):
        return None
    layers, factor = np.arange(stack.depth + 1), _fixed_factor(stack)
    if factor is not None:
        return GrowthLaw(EXACT, layers * np.log10(factor), np.zeros(len(layers)))
    moments = _chi_square_layer(stack)
    if moments is not None:
        mean, variance = moments
        name = SAME_VARIANCE if stack.initializer == "torch" else EXACT
        return GrowthLaw(name, layers * mean / _LN10, np.sqrt(layers * variance) / _LN10)
    if stack.joined.tied or stack.joined.residual:
        return None
    open_share = 0.5 if stack.activation == "relu" else 1.0
    return GrowthLaw(MEAN_FIELD, layers * 0.5 * np.log10(stack.weight_variance * open_share), None)


def _fixed_factor(stack: LayerStack) -> float | None:
    """By what every layer multiplies every vector, if that is no matter of chance."""
    if stack.initializer == "identity":
        return 1 + stack.branch_scale * stack.gain if stack.joined.residual else stack.gain
    rotates = stack.initializer == "orthogonal" and stack.activation == "linear" and not stack.joined.residual
    return stack.gain if rotates else None


def _chi_square_layer(stack: LayerStack) -> tuple[float, float] | None:
    """Mean and variance of what a layer adds to ln‖δ‖, where ‖J u‖² is c·χ²_M."""
    if stack.joined.tied or stack.joined.convolution or stack.initializer == "orthogonal":
        return None
    size, variance = stack.width, stack.weight_variance
    if not stack.joined.residual:
        if stack.activation == "linear":
            return _half_log_chi_square(variance / size, np.array([size]), np.ones(1))
        freedom = np.arange(1, size + 1)
        log_share = gammaln(size + 1) - gammaln(freedom + 1) - gammaln(size - freedom + 1) - size * np.log(2)
        return _half_log_chi_square(variance / size, freedom, np.exp(log_share))
    branch = stack.branch_scale**2 * variance
    if stack.activation == "relu" or branch == 0:
        return None
    middle = size / (2 * branch)
    reach = 12 * np.sqrt(middle) + 30
    events = np.arange(max(0, int(middle - reach)), int(middle + reach) + 1)
    share = np.exp(events * np.log(middle) - middle - gammaln(events + 1))
    return _half_log_chi_square(branch / size, size + 2 * events, share)


def _half_log_chi_square(scale: float, freedom: np.ndarray, share: np.ndarray) -> tuple[float, float]:
    """Mean and variance of ½ ln(scale·χ²_M) where M is ``freedom`` with probabilities ∝ ``share``."""
    share = share / share.sum()
    inside = digamma(freedom / 2)
    mean = float(share @ inside)
    variance = float(share @ polygamma(1, freedom / 2) + share @ np.square(inside - mean))
    return 0.5 * (np.log(2 * scale) + mean), 0.25 * variance


def spectral_law(stack: LayerStack) -> GrowthLaw:
    r"""The law of a linear network with one matrix J repeated, from the eigenvectors of every seed's J.

    With λ of modulus ρ the leading eigenvalue of Jᵀ, u its eigenvector of length 1 and c the component of v
    along u,

    .. math::
        \ln\lVert(J^\top)^k v\rVert \to k\ln\rho + \tfrac12\ln\bigl(|c|^2(1 + \sqrt{1 - |u^\top u|^2})\bigr)

    on average over the phase of a complex pair (|uᵀu| = 1 for a real λ). Every seed repeats its own ρ, so the
    mean tends to k·E log10 ρ and the spread to k times the standard deviation of log10 ρ: proportional to k.

    Returns:
        NaN before the law applies: until, in the median seed, the next eigenvalue has fallen behind by 1/e.

    Raises:
        ValueError: the layers are independent or not linear; with other activations J changes from layer
            to layer.
    """
    if not stack.joined.tied or stack.activation != "linear":
        raise ValueError(
            f"kind is {stack.kind!r} and activation {stack.activation!r}; allowed are a tied kind and "
            "'linear'"
        )
    drawn = draw_layers(stack, stack.seeds)
    jacobian = drawn.factor * drawn.base[:, 0].astype(np.float64)
    if stack.joined.residual:
        jacobian = np.eye(stack.width) + stack.branch_scale * jacobian
    values, vectors = np.linalg.eig(jacobian.transpose(0, 2, 1))
    sizes, each = np.abs(values), np.arange(stack.count)
    leading = sizes.argmax(axis=1)
    u = vectors[each, :, leading]
    c = np.linalg.solve(vectors, draw_directions(stack, stack.seeds))[each, leading, 0]
    rest = 1 - np.square(np.abs(np.square(u).sum(axis=1)))
    layers, radius = np.arange(stack.depth + 1), sizes.max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = 0.5 * np.log10(np.square(np.abs(c)) * (1 + np.sqrt(np.maximum(rest, 0))))
        lines = np.log10(radius) * layers[:, None] + offset
        behind = np.where(sizes < radius[:, None] * (1 - _SAME_SIZE), sizes, 0.0).max(axis=1)
        settled = np.median(1 / np.log(radius / behind))
    lines[layers < settled] = np.nan
    return GrowthLaw(
        SPECTRAL_RADIUS, lines.mean(axis=1), lines.std(axis=1, ddof=1) if stack.count > 1 else None
    )


def applicable_law(stack: LayerStack) -> GrowthLaw | None:
    """``growth_law``, else ``spectral_law`` where that holds, else None."""
    law = growth_law(stack)
    if law is None and stack.joined.tied and stack.activation == "linear" and stack.gain > 0:
        return spectral_law(stack)
    return law
