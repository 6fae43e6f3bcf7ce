"""The second direction of the backward pass: ∂L/∂x_t, which leaves the layer downwards."""

from __future__ import annotations

import numpy as np

from explorer.measures.adjoints import complete, slot_adjoints
from explorer.measures.norms import log10_norms
from explorer.trace import Trace


def input_gradients(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    r"""∂L/∂x_t = Σ_k W_kᵀ δ^k_t as mantissas and powers of two.

    Args:
        trace: a run.

    Returns:
        mantissas [T, I, B], entry t−1 for step t, and exponents [T, B]: ∂L/∂x_t = mantissa · 2^exponent. It
        equals ``x.grad`` of torch's layers. Exactly 0 after the last loss, and where every gate that reads x
        is held.
    """
    system = trace.system
    size, width = system.hidden_size, trace.inputs.shape[2]
    rows = len(system.matrix)
    into_x = np.ascontiguousarray(system.matrix[:, size : size + width].T)
    mantissas = np.zeros((trace.num_steps, width, trace.inputs.shape[1]), into_x.dtype)
    exponents = np.zeros((trace.num_steps, trace.inputs.shape[1]), np.int64)
    for block in slot_adjoints(trace):
        complete(trace, block)
        count, _, _, batch = block.delta.shape
        steps = slice(block.start, block.start + count)
        delta = block.delta.reshape(count, -1, batch)[:, :rows]
        with np.errstate(over="ignore", invalid="ignore"):  # states that overflowed: inf · 0
            mantissas[steps], exponents[steps] = np.matmul(into_x, delta), block.exponents
    return mantissas, exponents


def input_gradient_norms(trace: Trace) -> np.ndarray:
    """log10 ‖∂L/∂x_t‖₂ over the I inputs of one step, [T, B], entry t−1 for step t; −inf for an exact 0."""
    return log10_norms(*input_gradients(trace))
