"""Non-normal matrices: powers that grow before they decay, and how far a matrix is from normal.

Sources: Trefethen & Embree (2005), "Spectra and Pseudospectra"; Henrici (1962), "Bounds for iterates,
inverses, spectral variation and fields of values of non-normal matrices", Numer. Math. 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import schur

from explorer.experiment import Experiment
from explorer.initializers import Triangular
from explorer.theory.bounds import largest_singular_value

LOG10_2 = float(np.log10(2))

TRANSIENT_EXAMPLE = np.array([[0.9, 5.0], [0.0, 0.9]])
"""Spectral radius 0.9, yet ‖W^k‖ rises to 19.379 at k = 9 and is below 1 only from k = 55."""
TRANSIENT_EXAMPLE.setflags(write=False)

ROUNDING = 1e-12
"""Relative error below which a norm of 1 after hundreds of products still counts as 1."""
_EPS = float(np.finfo(np.float64).eps)


# ---- matrices ----


def non_normal_matrix(size: int, spectral_radius: float, strength: float, seed: int = 0) -> np.ndarray:
    r""":math:`\rho I + s\,T`, [N, N], T strictly upper Gaussian of largest singular value 1.

    All eigenvalues are ρ whatever the strength s. It is W_hh of an experiment with the ``triangular``
    initialiser, this seed and weight scale 1. For N = 2, ρ = 0.9, s = 5 it is ``TRANSIENT_EXAMPLE`` up to the
    sign of one unit.

    Raises:
        ValueError: ``size`` is below 2, or a number is outside the bounds of the initialiser.
    """
    if size < 2:
        raise ValueError(f"size is {size}; allowed is 2 or more, else nothing lies above the diagonal")
    drawn = Triangular(spectral_radius=spectral_radius, strength=strength)
    return drawn.draw(Experiment(seed=seed).rng("weight_hh/0"), size)


def scaled_departure(matrix: np.ndarray, factor: float) -> np.ndarray:
    """A matrix [N, N] of the same eigenvalues whose departure from normality is ``factor`` times as large.

    In the real Schur form W = Q (Λ + N) Qᵀ everything above the diagonal blocks is multiplied. A block
    [[a, b], [c, a]] of a complex pair has the departure |b + c|: b and c are moved so that b + c is
    multiplied and b·c, hence the pair, stays. Factor 0 gives a normal matrix, factor 1 the matrix itself.

    Raises:
        ValueError: ``matrix`` is not square and finite, or ``factor`` is negative or no number.
    """
    if not 0 <= factor < np.inf:
        raise ValueError(f"factor is {factor}; allowed are finite numbers from 0 up")
    form, basis = schur(square_matrix(matrix))
    scaled = np.triu(form, 1) * factor + np.diag(np.diag(form))
    pairs = np.flatnonzero(np.diag(form, -1))
    b, c = form[pairs, pairs + 1], form[pairs + 1, pairs]
    half = factor * (b + c) / 2
    root = np.copysign(np.sqrt(half**2 - b * c), b)
    scaled[pairs, pairs + 1], scaled[pairs + 1, pairs] = half + root, half - root
    return np.asarray(basis @ scaled @ basis.T)


def square_matrix(matrix: np.ndarray) -> np.ndarray:
    """The matrix as float64; raises ValueError unless it is real, square and finite."""
    array = np.asarray(matrix)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise ValueError(f"the matrix has the shape {list(array.shape)}; allowed is a square one, [N, N]")
    if np.iscomplexobj(array) or not np.isfinite(array).all():
        raise ValueError("the matrix holds entries that are no finite real numbers; allowed are only these")
    return array.astype(np.float64)


# ---- powers ----


def power_norms(matrix: np.ndarray, steps: int) -> np.ndarray:
    """log10 ‖W^k‖₂ for k = 0 … ``steps``, [steps+1]; −inf once a power is exactly 0.

    A power of two is carried beside the product, so 1e-1000 has as many digits as 1. The error is that of k
    products in float64: that of k relative changes of 1e-16 in W, to which long powers of a strongly
    non-normal dense matrix are sensitive.

    Raises:
        ValueError: ``matrix`` is not square and finite, or ``steps`` is negative.
    """
    w = square_matrix(matrix)
    if steps < 0:
        raise ValueError(f"steps is {steps}; allowed is 0 or more")
    powers, exponents = np.empty((steps + 1, *w.shape)), np.zeros(steps + 1, np.int64)
    base = int(np.frexp(np.abs(w).max())[1])
    w = np.ldexp(w, -base)
    powers[0] = np.eye(len(w))
    for k in range(1, steps + 1):
        np.matmul(w, powers[k - 1], out=powers[k])
        shift = int(np.frexp(np.abs(powers[k]).max())[1])
        np.ldexp(powers[k], -shift, out=powers[k])
        exponents[k] = exponents[k - 1] + base + shift
    norms = np.linalg.svd(powers, compute_uv=False)[:, 0]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(norms) + exponents * LOG10_2)


@dataclass(frozen=True)
class PowerGrowth:
    """The powers of one matrix, and what its eigenvalues and singular values say about them.

    Attributes:
        norms: log10 ‖W^k‖₂, k = 0 … K, [K+1].
        eigenvalues: [N], complex.
        sigma_max: ‖W‖₂; ‖W^k‖ ≤ σ_max^k.
        departure: Henrici's departure from normality √(‖W‖_F² − Σ|λ|²); 0 for normal matrices only.
        eigenvector_condition: κ of the matrix of eigenvectors of length 1, ‖W^k‖ ≤ κ ρ^k; infinite where,
            within rounding, there is no basis of eigenvectors.
    """

    norms: np.ndarray
    eigenvalues: np.ndarray
    sigma_max: float
    departure: float
    eigenvector_condition: float

    @cached_property
    def spectral_radius(self) -> float:
        """ρ = max |λ|; ‖W^k‖ ≥ ρ^k."""
        return float(np.abs(self.eigenvalues).max())

    @cached_property
    def peak(self) -> int:
        """The (first) k of the largest norm; 0 if none exceeds 1 by more than rounding."""
        largest = int(self.norms.argmax())
        return largest if self.norms[largest] > ROUNDING else 0

    @cached_property
    def settled(self) -> int | None:
        """The k from which on all norms up to K are below 1; None if the last one is not."""
        above = np.flatnonzero(self.norms >= -ROUNDING)
        return None if above[-1] == len(self.norms) - 1 else int(above[-1]) + 1


def power_growth(matrix: np.ndarray, steps: int = 100) -> PowerGrowth:
    """Norms of the powers up to ``steps`` with eigenvalues and measures of non-normality.

    The departure is summed from the Schur form, √(Σ above the blocks² + Σ (b + c)² of the blocks), so that it
    has digits for nearly normal matrices as well.

    Raises:
        ValueError: as ``power_norms``.
    """
    norms = power_norms(matrix, steps)
    w = square_matrix(matrix)
    form = schur(w, output="real")[0]
    pairs = np.flatnonzero(np.diag(form, -1))
    above = np.triu(form, 1)
    above[pairs, pairs + 1] += form[pairs + 1, pairs]
    values, vectors = np.linalg.eig(w)
    spread = np.linalg.svd(vectors, compute_uv=False)
    condition = float(spread[0] / spread[-1]) if spread[-1] > len(w) * _EPS else np.inf
    return PowerGrowth(
        norms, values.astype(complex), largest_singular_value(w), float(np.linalg.norm(above)), condition
    )
