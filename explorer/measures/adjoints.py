"""The adjoints of the pre-activations, δ_t = ∂L/∂slot_t, for whole blocks of steps at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.cells.cell import MESSAGE, Partials
from explorer.cells.conditions import Reading
from explorer.trace import Trace


@dataclass
class SlotAdjoints:
    """δ of n steps; row i belongs to the step from state ``start + i`` to state ``start + i + 1``.

    Attributes:
        start: index of the first state.
        delta: ∂L/∂slot with later slots of the same step held fixed, [n, K, H, B] (see ``complete``).
        carried: state → what reaches it at ``start + i`` without passing a matrix, [n, H, B]: the LSTM's
            f ⊙ ∂L/∂c, the GRU's z ⊙ ∂L/∂h.
        exponents: [n, B] powers of two that multiply ``delta`` and ``carried``.
        partials: the element-wise derivatives they were made from.
    """

    start: int
    delta: np.ndarray
    carried: dict[str, np.ndarray]
    exponents: np.ndarray
    partials: Partials


def slot_adjoints(trace: Trace) -> Iterator[SlotAdjoints]:
    """δ = Σ_s ∂s_t/∂slot_t · ∂L/∂s_t of all steps, block by block, last block first; no loop over steps."""
    totals, exponents = trace.backward.totals, trace.backward.exponents
    _, slots, size, batch = trace.forward.slots.shape
    for start, partials in trace.partial_blocks():
        count = len(partials.slots[0][2])
        after = {name: array[start + 1 : start + 1 + count] for name, array in totals.items()}
        delta = np.empty((count, slots, size, batch), trace.forward.slots.dtype)
        filled = 0
        with np.errstate(under="ignore", over="ignore", invalid="ignore"):
            for state, where, slope in partials.slots:
                if where.start >= filled:
                    delta[:, filled : where.start] = 0
                    np.multiply(slope, after[state][:, None], out=delta[:, where])
                else:
                    delta[:, where] += slope * after[state][:, None]
                filled = max(filled, where.stop)
            delta[:, filled:] = 0
            carried: dict[str, np.ndarray] = {}
            for (state, name), slope in partials.carry.items():
                part = slope * after[state]
                carried[name] = carried[name] + part if name in carried else part
        power = exponents[start + 1 : start + 1 + count]
        if partials.exponent is not None:
            power = power + partials.exponent[:, 0]
        yield SlotAdjoints(start, delta, carried, power, partials)


def complete(trace: Trace, block: SlotAdjoints) -> None:
    """Add to ``block`` what flows back through the message of a cell that has one; in place.

    For the GRU with the reset gate before the matrix: m̄ = U_nᵀ δ_n, then δ_r += m̄ ⊙ h ⊙ σ′(a_r) and, for
    h, r ⊙ m̄. Afterwards ``delta`` holds the total ∂L/∂slot. Nothing happens for the other cells.
    """
    matrix = trace.system.message_matrix
    if matrix is None:
        return
    names = [slot.name for slot in trace.experiment.cell.wiring()]
    direct = len(trace.system.matrix) // trace.system.hidden_size
    count, _, _, batch = block.delta.shape
    with np.errstate(over="ignore", invalid="ignore"):  # states that overflowed: inf · 0
        message = np.matmul(matrix.T, block.delta[:, direct:].reshape(count, -1, batch))
        for slot, slope in block.partials.message_slots.items():
            block.delta[:, names.index(slot)] += slope * message
        for name, slope in block.partials.message_carry.items():
            part = slope * message
            block.carried[name] = block.carried[name] + part if name in block.carried else part


def messages(trace: Trace, start: int, stop: int) -> np.ndarray:
    """m [n, H, B], what the message slots of the steps ``start`` … ``stop - 1`` multiply by their matrix."""
    wiring = trace.experiment.cell.wiring()
    slots = {
        slot.name: trace.forward.slots[start:stop, k]
        for k, slot in enumerate(wiring)
        if MESSAGE not in slot.reads
    }
    previous = {name: array[start:stop] for name, array in trace.forward.states.items()}
    record = Reading(trace.forward.conditions.rows(start, stop))
    return np.asarray(trace.experiment.cell.message(slots, previous, record))
