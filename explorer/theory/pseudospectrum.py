"""Pseudospectra: where in the complex plane a matrix is nearly singular, from σ_min(zI − W) on a grid.

Sources: Trefethen & Embree (2005), "Spectra and Pseudospectra"; Trefethen (1999), "Computation of
pseudospectra", Acta Numerica 8; Kreiss (1962), "Über die Stabilitätsdefinition für Differenzengleichungen,
die partielle Differentialgleichungen approximieren", BIT 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import schur

from explorer.theory.non_normality import ROUNDING, square_matrix

_EPS = float(np.finfo(np.float64).eps)
_SMALL = 4  # up to this size a singular value decomposition for every point is the fastest way
_BLOCK = 8  # rows of a triangular solve that are handled one by one
_FOCUS = 12  # power of 1/|z − λ| in the start vectors: as many steps of a normal matrix for nothing
_LOOKS = (8, 10, 12, 14, 17, 20, 24, 29, 35, 42, 50, 60)  # steps after which the points are looked at
_HALVINGS = 34
_TOLERANCE = 2e-7  # of σ⁻²


@dataclass(frozen=True)
class Pseudospectrum:
    """σ_min(zI − W) on a grid; the ε-pseudospectrum is where it is below ε.

    Attributes:
        real, imaginary: coordinates of the grid, [P] each, symmetric about 0.
        sigma_min: [P, P], first index along ``imaginary``; 0 where it is below ``resolution``.
        resolution: machine epsilon · ‖W‖_F, below which it only says how W was rounded.
        eigenvalues: [N], complex.
    """

    real: np.ndarray
    imaginary: np.ndarray
    sigma_min: np.ndarray
    resolution: float
    eigenvalues: np.ndarray

    @cached_property
    def kreiss_bound(self) -> float:
        r"""Largest (|z| − 1)/σ_min(zI − W) over the grid: a lower bound of max_k ‖W^k‖.

        Its supremum over |z| > 1 is the Kreiss constant K, with
        :math:`K \le \sup_k \lVert W^k\rVert \le eNK`. Infinite if some |λ| > 1; 0 if the grid does not
        reach beyond the unit circle.
        """
        if np.abs(self.eigenvalues).max() > 1 + ROUNDING:
            return np.inf
        outside = np.maximum(np.hypot(self.real, self.imaginary[:, None]) - 1, 0.0)
        known = np.maximum(self.sigma_min, self.resolution)
        return float((outside[known > 0] / known[known > 0]).max())


def pseudospectrum(matrix: np.ndarray, *, extent: float | None = None, points: int = 60) -> Pseudospectrum:
    """σ_min(zI − W) for z on a square grid around 0, to 1e-6 of its value.

    The matrix is brought to complex Schur form once; then inverse Lanczos iteration runs for all points of
    the upper half plane together, and the lower one is its mirror image. For normal matrices σ_min is the
    distance to the nearest eigenvalue. The time grows with N² P²: N = 64, P = 60 takes about 0.1 s.

    Args:
        matrix: W, [N, N], real.
        extent: the grid covers [−extent, extent]²; 1.5 times the larger of 1 and the spectral radius if not
            given.
        points: P, along each side.

    Raises:
        ValueError: ``matrix`` is not square and finite, ``extent`` not positive, ``points`` below 2.
    """
    w = square_matrix(matrix)
    if points < 2:
        raise ValueError(f"points is {points}; allowed is 2 or more")
    form = schur(w, output="complex")[0]
    values = np.diag(form)
    if extent is None:
        extent = 1.5 * max(1.0, float(np.abs(values).max()))
    if not 0 < extent < np.inf:
        raise ValueError(f"extent is {extent}; allowed are finite numbers above 0")
    side = np.linspace(-extent, extent, points)
    upper = side[points // 2 :]
    z = (side + 1j * upper[:, None]).ravel()
    resolution = _EPS * float(np.linalg.norm(w))
    if np.linalg.norm(np.triu(form, 1)) <= len(w) * resolution:
        sigma = np.abs(z - values[:, None]).min(axis=0)
    elif len(w) <= _SMALL:
        sigma = _by_decomposition(form, z)
    else:
        sigma = _by_inverse_lanczos(form, z, resolution)
    sigma = np.where(sigma < resolution, 0.0, sigma).reshape(len(upper), points)
    mirrored = np.concatenate([sigma[::-1][: points // 2], sigma])
    return Pseudospectrum(side, side, mirrored, resolution, values)


def _by_decomposition(form: np.ndarray, z: np.ndarray) -> np.ndarray:
    """σ_min of zI − T for every z, [M]."""
    shifted = z[:, None, None] * np.eye(len(form)) - form
    return np.asarray(np.linalg.svd(shifted, compute_uv=False)[:, -1])


def _by_inverse_lanczos(form: np.ndarray, z: np.ndarray, resolution: float) -> np.ndarray:
    """σ_min of zI − T for every z: Lanczos iteration with ((zI − T)ᴴ(zI − T))⁻¹, all z side by side.

    A point leaves once its residual bounds the error; those that have not after the last look are decomposed.
    A Rayleigh quotient above resolution⁻² proves that σ_min is below the resolution: such points get 0.
    """
    sigma, active = np.zeros(len(z)), np.arange(len(z))
    gaps = z - np.diag(form)[:, None]
    tiny = np.abs(gaps) < resolution
    inverse = 1 / np.where(tiny, resolution, gaps)
    adjoint = np.ascontiguousarray(form.conj().T)
    drawn = np.random.default_rng(0).standard_normal((2, *inverse.shape))
    size = np.abs(inverse)
    vector = (drawn[0] + 1j * drawn[1]) * (size / size.max(axis=0)) ** _FOCUS
    vector /= np.sqrt(_squares(vector))
    previous = np.zeros_like(vector)
    alphas, betas = np.zeros((2, _LOOKS[-1], len(z)))
    seen = np.zeros(len(z))
    for step in range(_LOOKS[-1]):
        with np.errstate(over="ignore", invalid="ignore"):
            half = _solve_upper(form, inverse, vector.copy())
            alphas[step] = _squares(half)
            fresh = _solve_lower(adjoint, inverse.conj(), half)
            fresh -= alphas[step] * vector
            fresh -= betas[step - 1] * previous
        betas[step] = np.sqrt(_squares(fresh))
        done = lost = ~(alphas[step] < resolution**-2)
        if step + 1 in _LOOKS:
            with np.errstate(all="ignore"):
                seen, residual = _largest_eigenvalue(alphas[: step + 1], betas[: step + 1], seen)
            settled = (residual <= _TOLERANCE * seen) & ~lost
            sigma[active[settled]] = seen[settled] ** -0.5
            done = lost | settled
        if done.any():
            keep = ~done
            active, seen, alphas, betas = active[keep], seen[keep], alphas[:, keep], betas[:, keep]
            inverse, vector, fresh = inverse[:, keep], vector[:, keep], fresh[:, keep]
        if not len(active):
            return sigma
        previous, vector = vector, fresh / np.maximum(betas[step], np.finfo(float).tiny)
    sigma[active] = _by_decomposition(form, z[active])
    return sigma


def _largest_eigenvalue(
    diagonal: np.ndarray, beside: np.ndarray, low: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The largest Ritz value θ of M Lanczos runs, and the length of its residual, [M] each.

    Args:
        diagonal: of the tridiagonal matrices, [k, M].
        beside: the entries beside it, and in its last row the length of the next vector, [k, M].
        low: what θ is known to be at least, [M].

    θ by bisection to 1e-10: x is above all eigenvalues where all pivots of xI − matrix are positive (Sturm).
    The residual is the last row of ``beside`` times the last entry of the eigenvector.
    """
    squares = beside[:-1] ** 2
    reach = np.pad(beside[:-1], ((0, 1), (0, 0))) + np.pad(beside[:-1], ((1, 0), (0, 0)))
    low, high = np.maximum(low, diagonal.max(axis=0)), (diagonal + reach).max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        pivot = middle - diagonal[0]
        least = pivot.copy()
        for entry, square in zip(diagonal[1:], squares, strict=True):
            pivot = middle - entry - square / pivot
            np.minimum(least, pivot, out=least)
        above = least > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    theta = (low + high) / 2
    pivot, entry = theta - diagonal[-1], np.ones_like(theta)
    length = entry.copy()
    for k in reversed(range(len(squares))):  # the eigenvector upwards from its last entry, 1
        entry = entry * pivot / beside[k]
        length += entry**2
        pivot = theta - diagonal[k] - squares[k] / pivot
    return theta, beside[-1] / np.sqrt(length)


def _squares(columns: np.ndarray) -> np.ndarray:
    """Squared length of every complex column."""
    return np.asarray(
        np.einsum("im,im->m", columns.real, columns.real) + np.einsum("im,im->m", columns.imag, columns.imag)
    )


def _solve_upper(form: np.ndarray, inverse: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(zI − T)⁻¹ x for every column with its own z, in place; ``inverse`` = 1/(z − t_ii), [N, M]."""
    size = len(form)
    for low in reversed(range(0, size, _BLOCK)):
        high = min(low + _BLOCK, size)
        x[low:high] += form[low:high, high:] @ x[high:]
        for i in reversed(range(low, high)):
            x[i] = (x[i] + form[i, i + 1 : high] @ x[i + 1 : high]) * inverse[i]
    return x


def _solve_lower(adjoint: np.ndarray, inverse: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(zI − T)⁻ᴴ x for every column, in place; ``adjoint`` = Tᴴ, ``inverse`` is conjugated."""
    size = len(adjoint)
    for low in range(0, size, _BLOCK):
        high = min(low + _BLOCK, size)
        x[low:high] += adjoint[low:high, :low] @ x[:low]
        for i in range(low, high):
            x[i] = (x[i] + adjoint[i, low:i] @ x[low:i]) * inverse[i]
    return x
