"""Gradient norms over time, in decades: log10 ‖∂L/∂s_t‖ for every step and sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from explorer.measures.adjoints import slot_adjoints
from explorer.trace import Trace

LOG10_2 = np.log10(2.0)


def log10_norms(arrays: np.ndarray | Sequence[np.ndarray], exponents: np.ndarray) -> np.ndarray:
    r""":math:`\log_{10}(2^{e}\,\lVert a\rVert_2)` over axis 1, several arrays counting as one long vector.

    Args:
        arrays: mantissas [n, H, B], or several such arrays (the H may differ).
        exponents: e [n, B].

    Returns:
        [n, B] in decades; −inf only where every entry is exactly 0, NaN where an entry is NaN. Columns
        whose squares would leave the range of the float type are divided by their largest entry first.
    """
    parts = [arrays] if isinstance(arrays, np.ndarray) else list(arrays)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        squares = sum(np.einsum("nhb,nhb->nb", a, a) for a in parts)
        limits = np.finfo(parts[0].dtype)
        squares = np.asarray(squares, np.float64)
        result = 0.5 * np.log10(squares)
        entries = sum(a.shape[1] for a in parts)  # each may have lost up to the smallest number when squared
        odd = ~((squares > limits.tiny * entries / limits.eps) & (squares < limits.max * 1e-12))
        if odd.any():
            t, b = np.nonzero(odd)
            columns = np.concatenate([a[t, :, b] for a in parts], axis=1).astype(np.float64)
            largest = np.abs(columns).max(axis=1)
            largest = np.where(np.isfinite(largest) & (largest > 0), largest, 1.0)
            inside = np.square(columns / largest[:, None]).sum(axis=1)
            result[t, b] = np.log10(largest) + 0.5 * np.log10(inside)
    return np.asarray(result + exponents * LOG10_2)


def gradient_norms(trace: Trace, state: str = "h", path: Literal["total", "direct"] = "total") -> np.ndarray:
    r""":math:`\log_{10}\lVert\partial L/\partial s_t\rVert_2` for every step and sample.

    Args:
        trace: a run.
        state: ``h``, or another state of the cell (the LSTM's ``c``).
        path: ``total`` is the derivative that autograd's ``retain_grad`` gives; for the LSTM's c it includes
            the path through h_t of the same step. ``direct`` holds h_t fixed, so that only
            :math:`f_{t+1}\odot\partial L/\partial c_{t+1}` is left. For h both are the same.

    Returns:
        [T+1, B] in decades, entry 0 for the initial state. Finite wherever the gradient is not 0, also far
        below 1e-308; −inf only where it is exactly 0 (after the last loss step, or behind dead units).

    Raises:
        ValueError: the cell has no such state, or the path is unknown; names what is allowed.
    """
    states = trace.experiment.cell.states
    if state not in states:
        raise ValueError(f"state {state!r} is unknown; this cell has {', '.join(reversed(states))}")
    if path not in ("total", "direct"):
        raise ValueError(f"path {path!r} is unknown; allowed are total, direct")
    if path == "total" or state == "h":
        return log10_norms(trace.backward.totals[state], trace.backward.exponents)
    result = np.full(trace.backward.exponents.shape, -np.inf)
    for block in slot_adjoints(trace):
        rows = slice(block.start, block.start + len(block.delta))
        if state in block.carried:
            result[rows] = log10_norms(block.carried[state], block.exponents)
    return result
