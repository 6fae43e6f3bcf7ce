"""The first direction of the backward pass alone: what reaches h_t from the step after it."""

from __future__ import annotations

import numpy as np

from explorer.measures.adjoints import complete, slot_adjoints
from explorer.measures.norms import log10_norms
from explorer.trace import Trace


def along_time_norms(trace: Trace) -> np.ndarray:
    r"""∂L/∂h_t without a loss at step t itself: :math:`\sum_k U_k^\top\delta^k_{t+1}` and the direct path.

    Returns:
        log10 of its length, [T+1, B]. Where no loss reads h_t it is ‖∂L/∂h_t‖; the last entry is −inf,
        because no step comes after T. Computed from the adjoints of the step after, not as a difference, so
        that 1e-300 beside a fresh loss keeps its digits.
    """
    system = trace.system
    size = system.hidden_size
    rows = len(system.matrix)
    into_h = np.ascontiguousarray(system.matrix[:, :size].T)
    result = np.full(trace.backward.exponents.shape, -np.inf)
    for block in slot_adjoints(trace):
        complete(trace, block)
        count, _, _, batch = block.delta.shape
        with np.errstate(over="ignore", invalid="ignore"):  # states that overflowed: inf · 0
            arrived = np.matmul(into_h, block.delta.reshape(count, -1, batch)[:, :rows])
            if "h" in block.carried:
                arrived += block.carried["h"]
        result[block.start : block.start + count] = log10_norms(arrived, block.exponents)
    return result
