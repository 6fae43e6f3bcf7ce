"""Gradients over time that have a closed form, computed without the engine's recursion where one exists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.cells import GRU, RNN
from explorer.cells.ablated import Ablated
from explorer.cells.conditions import Conditions, Reading
from explorer.cells.long_memory import LongMemory
from explorer.experiment import Experiment
from explorer.holds import parse_holds
from explorer.theory.recursions import diagonal_norms, repeated_norms
from explorer.weights import Weights

LN10 = np.log(10.0)


@dataclass(frozen=True)
class ClosedForm:
    """An exact gradient curve.

    Attributes:
        log10: [T+1] log10 of the norm; −inf for an exact 0, NaN where the form does not hold.
        label: what it is, in words.
        latex: the formula.
    """

    log10: np.ndarray
    label: str
    latex: str


def closed_form(
    experiment: Experiment,
    weights: Weights,
    readout: np.ndarray,
    loss_weights: np.ndarray,
    *,
    state: str = "h",
    slope_one: np.ndarray | None = None,
    initial_cell: np.ndarray | None = None,
) -> ClosedForm | None:
    r"""log10 ‖∂L/∂s_t‖ where it is known exactly, else None; for L = Σ_t w_t v·h_t.

    - Linear RNN, or any RNN at steps whose slopes are all exactly 1 (``slope_one``):
      :math:`\lVert\sum_{s\ge t} w_s (U^\top)^{s-t} v\rVert`. With one loss step and U = g·Q, Q orthogonal,
      this is g^(s−t); for symmetric U it is taken from the eigenvalues; else from powers with carried
      exponents.
    - RNN, LSTM or one of its siblings with U = 0: |w_t|·‖v‖ for h.
    - LSTM or sibling without peepholes with U = 0 and W = 0, state c: constant gates,
      Σ_s w_s f^(s−t) o φ′(c_s) v with φ′ = 1 − tanh² unless chosen otherwise.
    - GRU with U = 0 and W = 0: Σ_s w_s k^(s−t) v with k the fraction that is kept.

    Args:
        experiment: its cell and lengths are used.
        weights: torch names → arrays.
        readout: v [H].
        loss_weights: w_t [T+1].
        state: ``h`` or, for cells that have it, ``c`` (total derivative, as autograd's ``retain_grad``).
        slope_one: [T] True where every unit's slope is exactly 1 at step t in the samples in question (all
            ReLU units positive; tanh at exactly 0). Where a step without it lies between t and a later loss
            the form does not hold and the curve is NaN.
        initial_cell: c_0 [H] for cells with a c; 0 if not given.

    Returns:
        Values to about 1e-12 decades for the exact orthogonal and diagonal forms and H·1e-16 a step for
        powers of a general matrix.
    """
    cell = experiment.cell
    v = np.asarray(readout, np.float64)
    w = np.asarray(loss_weights, np.float64)
    recurrent = weights["weight_hh"]
    if state not in cell.states:
        raise ValueError(f"state {state!r} is unknown; this cell has {', '.join(reversed(cell.states))}")
    if isinstance(cell, RNN):
        if cell.activation == "linear":
            return _linear(recurrent, v, w)
        if not recurrent.any():
            return _nothing_returns(v, w)
        if slope_one is not None and np.any(slope_one):
            return _while_slopes_are_one(cell.activation, recurrent, v, w, np.asarray(slope_one, bool))
        return None
    if recurrent.any():
        return None
    if isinstance(cell, LongMemory) and state == "h":
        return _nothing_returns(v, w)
    if weights["weight_ih"].any() or experiment.hold or cell.vectors:
        return None
    bias_ih, bias_hh = (weights[name].reshape(cell.blocks, -1) for name in ("bias_ih", "bias_hh"))
    if isinstance(cell, LongMemory):
        return _constant_memory(cell, bias_ih + bias_hh, v, w, initial_cell)
    if isinstance(cell, GRU):
        return _constant_gru(cell, bias_ih + bias_hh, v, w)
    return None


def cell_path_reference(experiment: Experiment) -> ClosedForm | None:
    r"""log10 of :math:`\sum_{s\ge t} w_s\,f(b)^{s-t}`, [T+1]: the cell path at the bias alone.

    A reference line and no bound: it takes every forget gate to stand at its activation of the forget bias,
    σ(b) in the LSTM, without inputs, random biases and the paths through h. For a loss at the last step it
    is σ(b)^(T−t). −inf after the last loss. With f = 1 − i it is 1 − i at the input bias, without a forget
    gate it is 1. None for cells without a forget gate's place, where that gate is no share between 0 and 1,
    and where it is held or every unit has a bias of its own (chrono, trained weights).
    """
    cell = experiment.cell
    if not isinstance(cell, LongMemory) or getattr(cell, "chrono", False) or experiment.trained:
        return None
    functions = cell.functions
    gate = next((name for name in ("forget", "input") if name in functions), "")
    if isinstance(cell, Ablated) and cell.missing == "forget":
        gate, kept, label = "forget", 1.0, "f = 1 alone"
    else:
        function, bias = functions[gate], np.array([getattr(cell, f"{gate}_bias")])
        if not function.is_share:
            return None
        kept = float((function.function if gate == "forget" else function.complement)(bias)[0])
        label = f"{gate} bias alone"
    if any(hold.gate in (gate, "forget") for hold in parse_holds(experiment.hold)):
        return None
    weights, _ = experiment.loss.weights(experiment.num_steps)
    line = diagonal_norms(_log(np.array([kept])), np.ones(1), weights[:, None])
    return ClosedForm(line, label, r"\sum_{s \ge t} w_s\, f^{\,s-t}")


def _log(values: np.ndarray) -> np.ndarray:
    """ln |x|; −inf for 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.abs(values)))


def _log10(values: np.ndarray | float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(values))


def _nothing_returns(v: np.ndarray, w: np.ndarray) -> ClosedForm:
    return ClosedForm(
        _log10(np.abs(w) * np.linalg.norm(v)),
        "no recurrent matrix: nothing flows back",
        r"|w_t|\,\|v\|",
    )


def _linear(matrix: np.ndarray, v: np.ndarray, w: np.ndarray) -> ClosedForm:
    """Σ_s w_s (Uᵀ)^(s−t) v by the best route that the matrix allows."""
    latex = r"\left\|\sum_{s \ge t} w_s\,(U^\top)^{s-t} v\right\|"
    size = len(matrix)
    entered = np.flatnonzero(w)
    gain = float(np.linalg.norm(matrix) / np.sqrt(size))
    if len(entered) == 1 and gain > 0:
        scaled = matrix / gain
        if np.abs(scaled.T @ scaled - np.eye(size)).max() < 1e-12:
            lags = entered[0] - np.arange(len(w))
            values = np.where(lags >= 0, lags * np.log10(gain), -np.inf)
            values = values + float(_log10(np.linalg.norm(v) * abs(w[entered[0]])))
            return ClosedForm(
                values, f"g to the power of the lag, g = {gain:.4g} (orthogonal matrix)", r"g^{\,s-t}\,\|v\|"
            )
    if np.array_equal(matrix, matrix.T):
        eigenvalues, vectors = np.linalg.eigh(matrix)
        with np.errstate(divide="ignore"):
            logs = np.log(np.abs(eigenvalues))
        return ClosedForm(
            diagonal_norms(logs, np.sign(eigenvalues), np.outer(w, vectors.T @ v)),
            "powers of the eigenvalues (symmetric matrix)",
            r"\sqrt{\textstyle\sum_i \left(\sum_{s \ge t} w_s\,\lambda_i^{\,s-t}\, q_i^\top v\right)^2}",
        )
    return ClosedForm(repeated_norms(matrix.T, np.outer(w, v)), "powers of the matrix", latex)


def _while_slopes_are_one(
    activation: str, matrix: np.ndarray, v: np.ndarray, w: np.ndarray, slope_one: np.ndarray
) -> ClosedForm:
    form = _linear(matrix, v, w)
    last_loss = int(np.flatnonzero(w)[-1]) if w.any() else 0
    broken = np.flatnonzero(~slope_one[:last_loss])
    values = form.log10.copy()
    if len(broken):
        values[: broken[-1] + 1] = np.nan
    why = "all ReLU units positive" if activation == "relu" else "all slopes exactly 1"
    return ClosedForm(values, f"{form.label}, {why}", form.latex)


def _constant_memory(
    cell: LongMemory, biases: np.ndarray, v: np.ndarray, w: np.ndarray, initial: np.ndarray | None
) -> ClosedForm:
    """∂L/∂c_t = Σ_s w_s f^(s−t) o φ′(c_s) v with constant gates; h_0 does not depend on c_0."""
    slots, record = {slot.name: biases[slot.block] for slot in cell.wiring()}, Reading(Conditions())
    functions = cell.functions
    i, o = (cell.opened(gate, slots, record) for gate in ("input", "output"))
    f = cell.kept(i, slots, record) * np.ones_like(v)
    g = functions["cell"].function(slots["cell"])
    c = np.zeros_like(v) if initial is None else np.asarray(initial, np.float64)
    injected = np.zeros((len(w), len(v)))
    for t in range(1, len(w)):
        c = f * c + i * g
        injected[t] = w[t] * v * o * functions["c"].slope(c)
    slope = functions["c"].slope_latex.format(a="c_s", y=functions["c"].latex.format(a="c_s"))
    return ClosedForm(
        diagonal_norms(_log(f), np.sign(f), injected),
        "constant gates: the forget gate to the power of the lag",
        rf"\left\|\sum_{{s \ge t}} w_s\, f^{{\,s-t}} \odot o \odot {slope} \odot v\right\|",
    )


def _constant_gru(cell: GRU, biases: np.ndarray, v: np.ndarray, w: np.ndarray) -> ClosedForm:
    update = cell.functions["update"]
    kept = (update.function if cell.update == "keeps" else update.complement)(biases[1])
    return ClosedForm(
        diagonal_norms(_log(kept), np.sign(kept), np.outer(w, v)),
        "constant update gate: the fraction that is kept, step by step",
        r"\left\|\sum_{s \ge t} w_s\, k^{\,s-t} \odot v\right\|",
    )
