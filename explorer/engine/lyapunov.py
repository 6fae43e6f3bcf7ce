"""How orthonormal frames and single vectors grow along orbits: the loops behind Lyapunov exponents."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from scipy.linalg import lapack

from explorer.cells.cell import Partials
from explorer.engine.forward import Forward, System
from explorer.engine.partials import partials_between
from explorer.engine.pushforward import Pushforward

Growth = Iterator[tuple[int, np.ndarray]]  # (t, ln of the factors since the t before)

LONGEST = 5  # steps between two orthogonalizations; at 10 small exponents are lost in rounding errors
_BLOCK = 60  # steps whose derivatives are computed at once
_TARGET, _REDO = 1e-6, 1e-4  # estimated relative errors of R's diagonal: aimed at, and not accepted
_DOUBTFUL = 1e-3  # directions with a larger one, although after a single step, are given up
_ROUNDING = 4 * float(np.finfo(np.float64).eps)
_COMFORT = 1e150  # frames within this range of 1 have lost nothing to under- or overflow


def frame_growth(system: System, record: Forward, frame: np.ndarray, cut: int = 0) -> Growth:
    r"""Growth of an orthonormal frame along one orbit by repeated QR (Benettin et al. 1980).

    .. math::
        J_{t+n}\cdots J_{t+1}\,Q = Q' R, \qquad \ln\lvert R_{ii}\rvert

    with n ≤ 5, and fewer where R's diagonal would err by more than 1e-4 (by an estimate that is 100 times too
    high as a rule); a single step is as exact for slopes of 1e-30 as for those of 1.

    Args:
        system: one cell with one column.
        record: its forward pass over T steps.
        frame: Q [S·H, M] at t = 0, stacked as ``Pushforward`` does.
        cut: a step at which a QR takes place, whatever else.

    Yields:
        (t, [M]) for ascending t, the last one T: ln |R_ii| since the t before. −inf marks directions that
        are exactly lost: gates or slopes that are exactly 0, or a recurrent matrix of lower rank. NaN marks
        those too small beside the others to be known, and all of them once a state is not finite.
    """
    wanted, steps = frame.shape[1], len(record.slots)
    rank = known = wanted
    interval, of_matrix = LONGEST, _matrix_rank(system)
    for start, stop, partials in _blocks(system, record, cut):
        by_matrix, by_units = _rank_bounds(system, partials, stop - start, of_matrix)
        pushforward = Pushforward(system, frame.shape[1])
        pushforward.open(partials)
        t = start
        while t < stop:
            rows = slice(t - start, t - start + min(interval, stop - t))
            several = rows.stop - rows.start > 1
            pushed = pushforward.push(rows.start, rows.stop, frame)
            size = np.abs(pushed).max(initial=0)
            if several and not 1 / _COMFORT < size < _COMFORT:
                interval = 1
                continue
            if not np.isfinite(size):
                yield steps, np.full(wanted, np.nan)
                return
            found = min(by_matrix[rows].min(), by_units[rows].min(), np.count_nonzero(pushed.any(axis=1)))
            rest = pushed[:, : min(known, int(found))]
            q, r, doubt = _orthogonalized(rest)
            worst = doubt.max(initial=_ROUNDING)
            planned = _planned(worst, rows.stop - rows.start)
            if several and worst > _REDO:
                interval = min(planned, rows.stop - rows.start - 1)
                continue
            interval, t = planned, start + rows.stop
            true_zeros = by_matrix[rows].min() if partials.exponent is not None else found
            rank = min(rank, int(true_zeros))
            known = min(rest.shape[1], int(np.searchsorted(doubt, _DOUBTFUL, side="right")))
            logs = np.full(wanted, np.nan)
            logs[rank:] = -np.inf
            logs[:known] = np.log(np.abs(np.diag(r)[:known])) + _taken_out(partials, rows)
            if known == 0:
                yield steps, logs
                return
            yield t, logs
            if known < frame.shape[1]:
                pushforward = Pushforward(system, known)
                pushforward.open(partials)
            frame = q[:, :known]


def vector_growth(system: System, record: Forward, vectors: np.ndarray, cut: int = 0) -> Growth:
    """Growth of C vectors [S·H, C], each along the orbit of its own column; as ``frame_growth`` otherwise."""
    pushforward = Pushforward(system, vectors.shape[1])
    for start, stop, partials in _blocks(system, record, cut):
        pushforward.open(partials)
        t, interval = start, LONGEST
        while t < stop:
            rows = slice(t - start, t - start + min(interval, stop - t))
            pushed = pushforward.push(rows.start, rows.stop, vectors)
            norms = np.sqrt(np.einsum("ij,ij->j", pushed, pushed))
            living = norms[vectors.any(axis=0) & ~np.isnan(vectors).any(axis=0)]
            if interval > 1 and not ((living > 1 / _COMFORT) & (living < _COMFORT)).all():
                interval = 1
                continue
            t, interval = start + rows.stop, LONGEST
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log(norms) + _taken_out(partials, rows)
                vectors = pushed / np.where(norms > 0, norms, 1)
            yield t, logs


def _blocks(system: System, record: Forward, cut: int) -> Iterator[tuple[int, int, Partials]]:
    """(first step, end, derivatives) of blocks of steps, one of which begins at ``cut``."""
    steps = len(record.slots)
    edges = sorted({*range(0, steps, _BLOCK), min(cut, steps), steps})
    for start, stop in pairwise(edges):
        with np.errstate(invalid="ignore", over="ignore"):
            yield start, stop, partials_between(system.cell, record, start, stop)


def _taken_out(partials: Partials, rows: slice) -> np.ndarray | float:
    """ln of the powers of two that were taken out of the slopes of these steps, [C] or 0."""
    if partials.exponent is None:
        return 0.0
    return np.asarray(partials.exponent[rows, 0].sum(axis=0) * np.log(2))


def _orthogonalized(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Q [P, M], R [M, M] and the estimated relative errors [M] of R's diagonal, ascending.

    Rows are brought into descending order first: Householder's method then errs in each row relative to that
    row (Cox & Higham 1998), so slopes of 1e-30 cost no digits. With ρ the size of the rows the error is
    :math:`\epsilon\,(|Q|^\top\rho)_j\,\lVert R^{-1}e_j\rVert`.
    """
    if frame.shape[1] == 0:
        return frame, np.zeros((0, 0)), np.zeros(0)
    import torch  # its QR takes a quarter of NumPy's time from M = 100 on

    sizes = np.abs(frame).max(axis=1, initial=0)
    order = np.argsort(-sizes, kind="stable")
    sorted_q, r = (part.numpy() for part in torch.linalg.qr(torch.from_numpy(frame[order])))
    q = np.empty_like(sorted_q)
    q[order] = sorted_q
    inverse, info = lapack.dtrtri(r.T, lower=1)
    doubt = _ROUNDING * (sizes @ np.abs(q)) * np.sqrt(np.einsum("ji,ji->j", inverse, inverse))
    if info > 0:
        doubt[info - 1 :] = np.inf
    return q, r, np.maximum.accumulate(doubt)


def _planned(doubt: float, steps: int) -> int:
    """How many steps until the doubt will reach the target, if it grows by the same factor at every step."""
    if doubt == np.inf:
        return 1
    allowed = np.log(_TARGET / _ROUNDING) / max(np.log(doubt / _ROUNDING), 1e-9)
    return int(np.clip(np.floor(steps * allowed), 1, LONGEST))


def _rank_bounds(
    system: System, partials: Partials, count: int, of_matrix: int
) -> tuple[np.ndarray, np.ndarray]:
    """Two upper bounds on the rank of each of ``count`` steps' Jacobians, [count] each, for one column.

    By the matrix: its own rank and the units whose old state gets anywhere beside it. By the units: those
    whose new state depends on anything.
    """
    passing = {name: np.zeros((count, system.hidden_size), bool) for name in system.cell.states}
    moving = {name: array.copy() for name, array in passing.items()}
    for (_, name), slope in partials.carry.items():
        passing[name] |= slope[..., 0] != 0
    for name, slope in partials.message_carry.items():
        passing[name] |= slope[..., 0] != 0
    for state, _, slopes in partials.slots:
        moving[state] |= (slopes[..., 0] != 0).any(axis=1)
    for (state, _), slope in partials.carry.items():
        moving[state] |= slope[..., 0] != 0
    for (state, source), slope in partials.within.items():  # in the order of computation
        moving[state] |= (slope[..., 0] != 0) & moving[source]
    beside, into = (
        np.sum([np.count_nonzero(units, axis=1) for units in of_state.values()], axis=0)
        for of_state in (passing, moving)
    )
    return beside + of_matrix, into


def _matrix_rank(system: System) -> int:
    """Rank of what acts on h, its rows and columns scaled to 1."""
    matrix = system.matrix[:, : system.hidden_size]
    for axis in (1, 0):
        largest = np.abs(matrix).max(axis=axis, keepdims=True)
        matrix = matrix / np.where(largest > 0, largest, 1)
    return int(np.linalg.matrix_rank(matrix))
