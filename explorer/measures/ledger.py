"""The gradient ledger: at every step, what the slopes or gates do and what the matrix does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.cells.cell import HIDDEN, MESSAGE
from explorer.measures.adjoints import SlotAdjoints, complete, slot_adjoints
from explorer.measures.norms import log10_norms
from explorer.trace import Trace


@dataclass(frozen=True)
class Ledger:
    r"""What each step back changes, in decades; arrays [T, B], entry t−1 for the step back from t to t−1.

    .. math::
        \log_{10}\lVert g_{t-1}\rVert - \log_{10}\lVert g_t\rVert = \text{slope} + \text{matrix} + \text{loss}

    Each entry is log10 of a ratio. It is NaN where the ratio's denominator is exactly 0: there is nothing
    that could shrink or grow (steps after the last loss, steps before a gradient that died; a loss that
    enters there starts a new gradient). It is −inf where this very part turned a gradient into exactly 0.

    Attributes:
        slope: what happens without any matrix: the RNN's slopes, log10(‖δ_t‖ / ‖g_t‖); in gated cells what
            the gates alone let through on the direct path from state to state.
        matrix: the rest: U transposed; in gated cells what all paths through matrices add to the direct
            path or, by cancelling it, take away.
        loss: what a loss that enters at t−1 adds, log10(‖g_{t-1}‖ / ‖g_{t-1} before it‖); else 0.
        norms: log10‖g_t‖, [T+1, B].
        keeping: the part of ``slope`` that is due to the gate which multiplies the old state,
            log10(‖f ⊙ ∂L/∂c_t‖ / ‖∂L/∂c_t‖) in the LSTM, all of ``slope`` in the GRU; None without gates.
    """

    slope: np.ndarray
    matrix: np.ndarray
    loss: np.ndarray
    norms: np.ndarray
    keeping: np.ndarray | None = None


def ledger(trace: Trace) -> Ledger:
    r"""Split the change of the gradient at every step into slope, matrix and loss; see ``Ledger``.

    g_t is the adjoint of the whole state: h_t and, for the LSTM, also c_t with h_t held fixed. For the plain
    RNN the two parts are exactly diag(φ′(a_t)) and then Uᵀ. A gated cell has a direct path that meets no
    matrix: f ⊙ ∂L/∂c_t in the LSTM, z ⊙ ∂L/∂h_t in the GRU. Its first part is log10(‖carried‖ / ‖s_t‖) with
    s_t the total ∂L/∂c_t or ∂L/∂h_t; everything else comes through matrices (also what the reset gate does)
    and is the second part, which is exactly 0 for U = 0. Two steps need a rule:

    - Where the loss enters at t it reads h_t alone, and the LSTM's gradient goes through the output gate
      into the cell. That is the gates' doing too, so there the first part is log10(‖carried‖ / ‖g_t‖). At
      all other steps ∂L/∂h_t has come through U, and so has what it adds to ∂L/∂c_t.
    - Where the direct path carries exactly 0 (a closed gate), all that arrives comes through matrices.
      There the first part ends at the adjoints δ of all pre-activations that read h_{t−1}, as in the RNN.
    """
    steps, batch = trace.num_steps, trace.forward.slots.shape[-1]
    norms = log10_norms(trace.backward.totals["h"], trace.backward.exponents)
    middle, keeping = np.empty((steps, batch)), np.empty((steps, batch))
    entering: list[tuple[np.ndarray, np.ndarray]] = []
    gated = False
    for block in slot_adjoints(trace):
        rows = slice(block.start, block.start + len(block.delta))
        _add_carried(norms, block)
        gated = bool(block.carried)
        if gated:
            middle[rows] = log10_norms(list(block.carried.values()), block.exponents)
            keeping[rows] = _change(_carrying(trace, block), middle[rows])
        else:
            middle[rows] = -np.inf
        closed = np.flatnonzero(np.isneginf(middle[rows]).any(axis=1))
        if len(closed):
            _fill(middle[rows], trace, block, closed)
        entered = np.flatnonzero(trace.loss_weights[rows])
        if len(entered):
            entering.append((block.start + entered, _before_loss(trace, block, entered)))
    before = norms[:-1].copy()
    for at, values in entering:
        before[at] = values
    slope, matrix, loss = _change(norms[1:], middle), _change(middle, before), _change(before, norms[:-1])
    if not gated:
        return Ledger(slope, matrix, loss, norms)
    with np.errstate(invalid="ignore"):
        through_h = np.where(np.isfinite(slope) & np.isfinite(keeping), slope - keeping, 0)
    through_h[trace.loss_weights[1:] != 0] = 0
    return Ledger(slope - through_h, matrix + through_h, loss, norms, keeping)


def state_norms(trace: Trace) -> np.ndarray:
    """log10‖g_t‖ [T+1, B] of the whole state: ∂L/∂h_t and, for the LSTM, ∂L/∂c_t with h_t held fixed."""
    norms = log10_norms(trace.backward.totals["h"], trace.backward.exponents)
    if len(trace.experiment.cell.states) > 1:
        for block in slot_adjoints(trace):
            _add_carried(norms, block)
    return norms


def _carrying(trace: Trace, block: SlotAdjoints) -> np.ndarray:
    """log10 of the total adjoints of the states whose old values a gate carries over, [n, B]."""
    after = slice(block.start + 1, block.start + 1 + len(block.delta))
    names = dict.fromkeys(state for state, _ in block.partials.carry)
    return log10_norms(
        [trace.backward.totals[name][after] for name in names], trace.backward.exponents[after]
    )


def _fill(middle: np.ndarray, trace: Trace, block: SlotAdjoints, rows: np.ndarray) -> None:
    """Where nothing is carried over: log10‖δ‖ of the pre-activations that read h_{t−1}; in place."""
    recurrent = [k for k, slot in enumerate(trace.experiment.cell.wiring()) if slot.reads & {HIDDEN, MESSAGE}]
    delta = block.delta if len(rows) == len(middle) else block.delta[rows]
    if len(recurrent) < delta.shape[1]:
        delta = delta[:, recurrent]
    norms = log10_norms(delta.reshape(len(rows), -1, delta.shape[-1]), block.exponents[rows])
    middle[rows] = np.where(np.isneginf(middle[rows]), norms, middle[rows])


def _add_carried(norms: np.ndarray, block: SlotAdjoints) -> None:
    """Join the states other than h, with h held fixed, to log10‖∂L/∂h‖; in place."""
    rows = slice(block.start, block.start + len(block.delta))
    for name, array in block.carried.items():
        if name != "h":
            norms[rows] = _hypot(norms[rows], log10_norms(array, block.exponents))


def _hypot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """log10 √(10^2a + 10^2b)."""
    scale = 2 * np.log(10)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.logaddexp(scale * a, scale * b) / scale)


def _before_loss(trace: Trace, block: SlotAdjoints, rows: np.ndarray) -> np.ndarray:
    """log10‖g_{t-1}‖ before the loss of t−1 is added, for some rows of a block (no difference is formed)."""
    complete(trace, block)
    size = trace.system.hidden_size
    direct = len(trace.system.matrix) // size
    delta = block.delta[rows, :direct].reshape(len(rows), direct * size, -1)
    parts = {name: array[rows] for name, array in block.carried.items()}
    through = np.matmul(trace.system.matrix[:, :size].T, delta)
    parts["h"] = parts["h"] + through if "h" in parts else through
    return log10_norms(list(parts.values()), block.exponents[rows])


def _change(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """end − start, NaN where the start is −inf."""
    with np.errstate(invalid="ignore"):
        return np.where(start > -np.inf, end - start, np.nan)
