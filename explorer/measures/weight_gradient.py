"""The gradient of the recurrent weights, split by the time step it comes from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from explorer.cells.cell import HIDDEN, MESSAGE
from explorer.measures.adjoints import SlotAdjoints, complete, messages, slot_adjoints
from explorer.measures.norms import LOG10_2
from explorer.trace import Trace

_CANCELLED = 1e-6  # below this part of its terms a Gram sum is recomputed from the matrix itself


def weight_gradient_by_step(trace: Trace, normalise: bool = False) -> np.ndarray:
    r""":math:`\log_{10}\lVert G_t\rVert_F`, :math:`G_t = \sum_b \delta_{t,b}\, h_{t-1,b}^\top`.

    G_t is step t's part of ∂L/∂W_hh = Σ_t G_t. No matrix is formed: :math:`\lVert G_t\rVert_F^2 = \sum_{bb'}
    (\delta_b\cdot\delta_{b'})(h_b\cdot h_{b'})`. Blocks of rows that multiply a message (GRU with the reset
    gate before the matrix) use the message in place of h.

    Args:
        trace: a run.
        normalise: give the size relative to the whole gradient, log10(‖G_t‖ / ‖Σ_t G_t‖); NaN when the
            whole gradient is exactly 0.

    Returns:
        [T] in decades, entry t−1 for step t; −inf where G_t is exactly 0 (the first step from a zero state,
        steps after the last loss). Relative accuracy of ‖G_t‖ about 1e-10 or better in float64.
    """
    result = np.full(trace.num_steps, -np.inf)
    for block in slot_adjoints(trace):
        complete(trace, block)
        rows = slice(block.start, block.start + len(block.delta))
        parts = [_outer_norms(*pair) for pair in _factors(trace, block)]
        with np.errstate(invalid="ignore"):
            result[rows] = np.logaddexp.reduce(2 * np.log(10) * np.array(parts), axis=0) / (2 * np.log(10))
    if normalise:
        total = weight_gradient_total(trace)
        return result - total if total > -np.inf else np.full_like(result, np.nan)
    return result


def weight_gradient_total(trace: Trace) -> float:
    r""":math:`\log_{10}\lVert\partial L/\partial W_{hh}\rVert_F` in decades; −inf for an exact 0.

    The sum over steps and samples is formed with exponents carried, so that nothing over- or underflows;
    terms 1e-308 times smaller than the largest are dropped.
    """
    sums: list[np.ndarray] = []
    exponent: int | None = None
    for block in slot_adjoints(trace):
        complete(trace, block)
        pairs = [(*_scaled(a, p), *_scaled(h, q)) for a, p, h, q in _factors(trace, block)]
        alive = [(p + q)[(np.abs(a).max(axis=1) > 0) & (np.abs(h).max(axis=1) > 0)] for a, p, h, q in pairs]
        powers = np.concatenate(alive)
        if not len(powers):
            continue
        top = int(powers.max())
        if exponent is None:
            sums = [np.zeros((a.shape[1], h.shape[1])) for a, _, h, _ in pairs]
        elif top > exponent:
            sums = [np.ldexp(matrix, max(exponent - top, -4000)) for matrix in sums]
        exponent = top if exponent is None else max(exponent, top)
        for matrix, (a, p, h, q) in zip(sums, pairs, strict=True):
            with np.errstate(under="ignore"):
                a = a * np.ldexp(1.0, np.clip(p + q - exponent, -4000, 0))[:, None]
            matrix += (
                np.moveaxis(a, 1, 0).reshape(a.shape[1], -1) @ np.moveaxis(h, 1, 0).reshape(h.shape[1], -1).T
            )
    if exponent is None:
        return -np.inf
    largest = max(float(np.abs(matrix).max()) for matrix in sums)
    if largest == 0:
        return -np.inf
    inside = sum(float(np.square(matrix / largest).sum()) for matrix in sums)
    return float(np.log10(largest) + 0.5 * np.log10(inside) + exponent * LOG10_2)


def _factors(
    trace: Trace, block: SlotAdjoints
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """(δ [n, K·H, B], its exponents, h or message [n, H, B], its exponents) with G_t = Σ_b δ hᵀ."""
    wiring = trace.experiment.cell.wiring()
    count, _, _, batch = block.delta.shape
    rows = slice(block.start, block.start + count)
    carried = trace.forward.exponents
    power = np.zeros_like(block.exponents) if carried is None else carried[rows]
    hidden = [k for k, slot in enumerate(wiring) if HIDDEN in slot.reads]
    message = [k for k, slot in enumerate(wiring) if MESSAGE in slot.reads]
    if hidden:
        delta = block.delta if len(hidden) == len(wiring) else block.delta[:, hidden]
        yield delta.reshape(count, -1, batch), block.exponents, trace.forward.states["h"][rows], power
    if message:
        delta = block.delta[:, message].reshape(count, -1, batch)
        yield delta, block.exponents, messages(trace, rows.start, rows.stop), power


def _scaled(array: np.ndarray, exponents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same columns in float64 with largest |entry| in [½, 1) (or all 0), and their new exponents."""
    array = array.astype(np.float64, copy=False)
    power = np.frexp(np.abs(array).max(axis=1))[1]
    if np.abs(power).max(initial=0) < 1000:
        return array * np.ldexp(1.0, -power)[:, None], exponents + power
    return np.ldexp(array, -power[:, None]), exponents + power


def _outer_norms(a: np.ndarray, p: np.ndarray, h: np.ndarray, q: np.ndarray) -> np.ndarray:
    """log10 ‖Σ_b 2^(p+q) a_b h_bᵀ‖_F for every step, [n], by Gram matrices of the samples."""
    a, p = _scaled(a, p)
    h, q = _scaled(h, q)
    alive = (np.abs(a).max(axis=1) > 0) & (np.abs(h).max(axis=1) > 0)
    power = np.where(alive, p + q, np.iinfo(np.int64).min // 4)
    top = power.max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        scale = np.where(alive, np.ldexp(1.0, np.maximum(power - top, -4000)), 0.0)
        a = a * scale[:, None]
        gram = np.matmul(np.swapaxes(a, 1, 2), a) * np.matmul(np.swapaxes(h, 1, 2), h)
        squares = gram.sum(axis=(1, 2))
        terms = np.abs(gram).sum(axis=(1, 2))
        lost = ~(squares > _CANCELLED * terms) & (terms > 0)
        if lost.any():
            products = np.matmul(a[lost], np.swapaxes(h[lost], 1, 2))
            squares[lost] = np.square(products).sum(axis=(1, 2))
        return np.asarray(0.5 * np.log10(squares) + np.where(alive.any(axis=1), top[:, 0], 0) * LOG10_2)
