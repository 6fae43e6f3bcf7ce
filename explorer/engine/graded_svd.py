"""Products and singular values of matrices graded over hundreds of decades, each value to digits of its own.

A matrix is kept as ``basis · diag(2^exponents)``: columns of ordinary size with a power of two each.
Householder QR makes an error in every column that is relative to that column, so the grading costs no digits;
a plain product, in contrast, knows nothing below 1e-16 of its largest singular value. Drmač & Veselić (2008),
"New fast and accurate Jacobi SVD algorithm", SIAM J. Matrix Anal. Appl. 29; Demmel et al. (1999), "Computing
the singular value decomposition with high relative accuracy", Linear Algebra Appl. 299.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

_EPS = float(np.finfo(np.float64).eps)
_SAFE_BITS = 900  # columns within this range can be handled as plain float64
_MARGIN_BITS = 40  # how far inside a window a singular value must lie to be taken from it …
_UNSORTED_BITS = 10  # … when the columns are in descending order up to this
_DETERMINANT_BITS = 1e-9  # how well Σ log2 σ must agree with log2 |det|
_LONGEST = 16  # factors between two condensations at most
_NEGLIGIBLE_BITS = 56  # columns this far below all that is wanted are below its rounding errors
_COMFORT_BITS = 300  # columns within 2^±300 are left as they are


@dataclass
class Graded:
    """X = basis · diag(2^exponents), up to an orthogonal matrix on the right, which no singular value sees.

    Attributes:
        basis: [P, M], columns of ordinary size, in descending order of their size with exponents.
        exponents: [M] integers.
        doubt: [M] estimated relative error of the i-th singular value, accumulated since the start.
    """

    basis: np.ndarray
    exponents: np.ndarray
    doubt: np.ndarray

    @property
    def finite(self) -> bool:
        """False once a NaN or an infinity has entered."""
        return bool(np.isfinite(self.basis).all())


@dataclass
class Condensed(Graded):
    """A graded matrix with nearly orthogonal columns.

    Attributes:
        core: [M, M], basis = Q · core with orthonormal Q: the same singular values.
        growth: [M] estimated factor by which the condition of the basis magnified the rounding errors of the
            first i columns (1 is best).
    """

    core: np.ndarray
    growth: np.ndarray

    def strain(self, needed: int) -> float:
        """The factor for the first ``needed`` columns."""
        return float(self.growth[:needed].max(initial=1.0))


def condense(x: Graded, *, rank: int | None = None, pivot: bool = False) -> Condensed:
    """Two QR steps: X = Q R D, then R D = L D Q₃ with L lower triangular; Q₃ is dropped, the basis is Q L.

    Columns that are exactly zero disappear, so M shrinks to the rank.

    Args:
        x: any finite graded matrix [P, M].
        rank: upper bound on the rank that is known otherwise.
        pivot: order the columns by a pivoted QR (rows of very different size) instead of by length; always
            done when there are more columns than rows.
    """
    keep = np.flatnonzero(x.basis.any(axis=0))
    basis, exponents = x.basis[:, keep], x.exponents[keep]
    rows = np.flatnonzero(basis.any(axis=1))
    size = min(len(rows), len(keep), len(keep) if rank is None else rank)
    if size == 0:
        return Condensed(
            np.zeros((len(basis), 0)), np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 0)), np.zeros(0)
        )
    basis, level, exponents = _normalized(basis, exponents)
    wide = len(keep) > len(rows)
    if pivot or wide or len(rows) < len(basis):
        order_rows = rows[np.argsort(-np.abs(basis[rows]).max(axis=1), kind="stable")]
        inside = basis[order_rows]
        order = _pivots(inside, level)
        q = np.zeros((len(basis), min(inside.shape)))
        q[order_rows], r = _qr(inside[:, order])
    else:
        order = np.argsort(-level, kind="stable")
        q, r = _qr(basis[:, order])
    size = min(size, _exact_rank(r))
    exponents = exponents[order]
    growth = _magnification(r[:size, :size])
    tall = _scaled_transpose(r[:size], exponents)
    r = _triangle(tall)
    if wide:
        growth += _magnification(r / np.sqrt(np.square(r).sum(axis=0)))
    exponents = exponents[:size]
    core = _scaled_transpose(r, exponents)
    doubt = x.doubt[:size] + _EPS * growth
    return Condensed(q[:, :size] @ core, exponents, doubt, core, growth)


def log2_singular_values(core: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """log2 σ_i of core · diag(2^exponents), descending; core [M, M] is lower triangular, from ``condense``.

    A range wider than float64 is cut into overlapping windows along the diagonal: singular values at a ratio
    ρ from each other influence one another by ρ² only; those near a cut are taken from the next window.
    """
    size = len(exponents)
    if size == 0:
        return np.zeros(0)
    core, level, exponents = _normalized(core, exponents)
    if level.max() - level.min() <= _SAFE_BITS:
        return _within_range(core, exponents)
    if (level - np.minimum.accumulate(level)).max() > _UNSORTED_BITS:
        order = np.argsort(-level, kind="stable")
        exponents = exponents[order]
        r = _triangle(_scaled_transpose(_triangle(core[:, order]), exponents))
        core, level, exponents = _normalized(_scaled_transpose(r, exponents), exponents)
    fall = -np.minimum.accumulate(level)  # ascending
    found = np.empty(size)
    done = 0
    while done < size:
        start = int(np.searchsorted(fall, fall[done] - _MARGIN_BITS))
        stop = int(np.searchsorted(fall, fall[start] + _SAFE_BITS, side="right"))
        trusted = size if stop == size else int(np.searchsorted(fall, fall[stop] - _MARGIN_BITS))
        trusted = max(trusted, done + 1)
        values = _within_range(core[start:stop, start:stop], exponents[start:stop])
        found[done:trusted] = values[done - start : trusted - start]
        done = trusted
    return np.sort(found)[::-1]


def _within_range(core: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """log2 σ_i of a graded lower triangular matrix that fits into float64.

    LAPACK's bidiagonal method (``dgesdd``) is relatively accurate on matrices graded like these, without a
    proof. Noise in small singular values adds to Σ log σ, which must be the log-determinant; where it is
    not, the preconditioned one-sided Jacobi method (``dgejsv``), slower and safe, takes over.
    """
    middle = (int(exponents.max()) + int(exponents.min())) // 2
    scaled = core * np.exp2(exponents - middle)
    with np.errstate(divide="ignore"):
        values = np.log2(np.linalg.svd(scaled, compute_uv=False))
        logs = np.log2(np.abs(np.diagonal(scaled)))
    if not abs(values.sum() - logs.sum()) <= _DETERMINANT_BITS + _EPS * np.abs(logs).sum():
        found, _, _, work, _, info = lapack.dgejsv(scaled, joba=0, jobu=3, jobv=3, jobr=0, jobt=0, jobp=0)
        with np.errstate(divide="ignore"):
            values = np.log2(found) + (np.log2(work[0] / work[1]) if info == 0 else np.nan)
    log_values: np.ndarray = values + middle
    return log_values


def log2_norm(basis: np.ndarray, exponents: np.ndarray) -> float:
    """log2 ‖basis · diag(2^exponents)‖₂; −inf for zero, NaN for what is not finite."""
    if not np.isfinite(basis).all():
        return np.nan
    keep = np.flatnonzero(basis.any(axis=0))
    if len(keep) == 0:
        return -np.inf
    size = np.frexp(np.abs(basis[:, keep]).max(axis=0))[1] + exponents[keep]
    largest = int(size.max())
    felt = keep[size > largest - 30]  # 2^-30 changes the norm by 2^-60
    scaled = np.ldexp(basis[:, felt], exponents[felt] - largest)
    gram = scaled.T @ scaled if scaled.shape[1] <= scaled.shape[0] else scaled @ scaled.T
    return float(0.5 * np.log2(np.linalg.eigvalsh(gram)[-1]) + largest)


def graded_products(
    step: Callable[[int, Graded], Graded],
    x: Graded,
    top: int,
    wanted: set[int] | None,
    *,
    needed: int,
    strain: float,
    rank: int | None = None,
) -> Iterator[tuple[int, Graded]]:
    """(t, A_t A_{t+1} ⋯ A_{top-1} X) for the wanted t, from ``top`` down.

    Args:
        step: (t, Y) → A_t Y.
        x: X.
        top: where X stands.
        wanted: the t to give; None for every one.
        needed: how many of the largest singular values matter; columns that cannot reach them are dropped.
        strain: condition that may build up before the columns are made orthogonal again.
        rank: upper bound on the rank of the factors.
    """
    if wanted is None or top in wanted:
        yield top, x
    lowest, stride = 0 if wanted is None else min(wanted, default=top), 1
    while top > lowest:
        bottom = max(top - stride, lowest)
        if wanted is not None:
            bottom = max([bottom, *(t for t in wanted if bottom < t < top)])
        length, history, reached = top - bottom, [], x
        for t in range(top - 1, bottom - 1, -1):
            reached = _comfortable(step(t, reached))
            if wanted is None:
                history.append((t, reached))
        found = 1.2
        if reached.finite:
            reached = condense(reached, rank=rank)
            found = max(found, reached.strain(needed))
        if length > 1 and found > strain:
            stride = (length + 1) // 2
            continue
        stride = int(np.clip(length * np.log(strain / 1.5) / np.log(found), 1, min(_LONGEST, 2 * length)))
        yield from history
        top, x = bottom, reached
        if wanted is not None and top in wanted:
            yield top, x
        x = _without_negligible(x, needed)


def _comfortable(x: Graded) -> Graded:
    """The same with columns near the ends of the float range scaled back."""
    largest = np.abs(x.basis).max(axis=0, initial=0)
    power = np.frexp(largest)[1].astype(np.int64)
    power[~np.isfinite(largest) | (np.abs(power) < _COMFORT_BITS)] = 0
    return Graded(np.ldexp(x.basis, -power), x.exponents + power, x.doubt) if power.any() else x


def _without_negligible(x: Graded, needed: int) -> Graded:
    """Without the columns below the rounding errors of the first ``needed`` ones; kept are multiples of 8."""
    columns = x.basis.shape[1]
    if columns <= needed or not x.finite:
        return x
    least = x.exponents[:needed].min() - _NEGLIGIBLE_BITS
    kept = needed + int(np.count_nonzero(x.exponents[needed:] >= least))
    kept = min(-(-kept // 8) * 8, columns)
    order = np.sort(np.argsort(-x.exponents, kind="stable")[:kept])
    return Graded(x.basis[:, order], x.exponents[order], x.doubt[order]) if kept < columns else x


def _normalized(basis: np.ndarray, exponents: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of length ½ … 1, log2 of their true length, and exponents to match."""
    largest = np.abs(basis).max(axis=0)
    shift = np.frexp(largest)[1].astype(np.int64)
    basis = basis * np.exp2(-shift) if np.abs(shift).max() < 1000 else np.ldexp(basis, -shift)
    length = np.sqrt(np.einsum("ij,ij->j", basis, basis))
    more = np.frexp(length)[1].astype(np.int64)
    level = np.log2(length) + shift + exponents
    basis *= np.exp2(-more)
    return basis, level, exponents + shift + more


def _scaled_transpose(r: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """N = D Rᵀ D⁻¹ with (R D)ᵀ = N D, for upper triangular R [k, M]; no entry is much above 1."""
    size = len(r)
    low, high = int(exponents.min()), int(exponents.max())
    if high - low <= _SAFE_BITS:
        centred = exponents - (low + high) // 2
        scaled: np.ndarray = (r.T * np.exp2(centred)[:, None]) * np.exp2(-centred[:size])
        return scaled
    beyond: np.ndarray = np.ldexp(r.T, np.clip(exponents[:, None] - exponents[:size], -2200, 1000))
    return beyond


def _qr(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    q, r = np.linalg.qr(a)
    return q, r


def _triangle(a: np.ndarray) -> np.ndarray:
    r: np.ndarray = np.linalg.qr(a, "r")  # type: ignore[assignment]
    return r


def _pivots(basis: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Column order of a pivoted QR of the graded matrix; a range beyond float64 is compressed for that."""
    relative = level - level.max()
    bits = -relative.min()
    if bits > _SAFE_BITS:
        relative = relative * (_SAFE_BITS / bits)
    return np.asarray(lapack.dgeqp3(basis * np.exp2(relative))[1], np.int64) - 1


def _exact_rank(r: np.ndarray) -> int:
    """Rows of R before those that are exactly zero."""
    filled = np.flatnonzero(r.any(axis=1))
    return 0 if len(filled) == 0 else int(filled[-1]) + 1


def _magnification(r: np.ndarray) -> np.ndarray:
    """Running maximum of ‖R⁻¹ e_i‖: error of what column i adds, in units of the rounding of the columns."""
    inverse, info = lapack.dtrtri(r)
    if info != 0:
        growth = np.full(len(r), 1.0)
        growth[info - 1 :] = np.inf
        return growth
    return np.maximum.accumulate(np.sqrt(np.einsum("ij,ij->j", inverse, inverse)))
