"""Gradients over time that have a closed form, computed without the engine's recursion where one exists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.cells import GRU, LSTM, RNN
from explorer.experiment import Experiment
from explorer.theory.half_lives import log_sigmoid
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
    - RNN or LSTM with U = 0: |w_t|·‖v‖ for h.
    - LSTM with U = 0 and W = 0, state c: constant gates, Σ_s w_s f^(s−t) o (1 − tanh² c_s) v.
    - GRU with U = 0 and W = 0: Σ_s w_s k^(s−t) v with k the fraction that is kept.

    Args:
        experiment: its cell and lengths are used.
        weights: torch names → arrays.
        readout: v [H].
        loss_weights: w_t [T+1].
        state: ``h`` or the LSTM's ``c`` (total derivative, as autograd's ``retain_grad``).
        slope_one: [T] True where every unit's slope is exactly 1 at step t in the samples in question (all
            ReLU units positive; tanh at exactly 0). Where a step without it lies between t and a later loss
            the form does not hold and the curve is NaN.
        initial_cell: c_0 [H] for the LSTM; 0 if not given.

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
    if isinstance(cell, LSTM) and state == "h":
        return _nothing_returns(v, w)
    if weights["weight_ih"].any():
        return None
    bias_ih, bias_hh = (weights[name].reshape(cell.blocks, -1) for name in ("bias_ih", "bias_hh"))
    if isinstance(cell, LSTM):
        return _constant_lstm(bias_ih + bias_hh, v, w, initial_cell)
    if isinstance(cell, GRU):
        sign = 1 if cell.update == "keeps" else -1
        kept = log_sigmoid(sign * (bias_ih[1] + bias_hh[1]))
        return ClosedForm(
            diagonal_norms(kept, np.ones_like(v), np.outer(w, v)),
            "constant update gate: the fraction that is kept, step by step",
            r"\left\|\sum_{s \ge t} w_s\, k^{\,s-t} \odot v\right\|",
        )
    return None


def cell_path_reference(experiment: Experiment) -> np.ndarray:
    r"""log10 of :math:`\sum_{s\ge t} w_s\,\sigma(b_f)^{s-t}`, [T+1]: 'cell path at the forget bias alone'.

    A reference line and no bound: it takes every forget gate to stand at σ(forget bias), without inputs,
    random biases and the paths through h. For a loss at the last step it is σ(b_f)^(T−t). −inf after the
    last loss. Raises ValueError for cells without a forget gate.
    """
    if not isinstance(experiment.cell, LSTM):
        raise ValueError(f"cell {experiment.cell.kind!r} has no forget gate; only 'lstm' has this line")
    weights, _ = experiment.loss.weights(experiment.num_steps)
    rate = log_sigmoid(np.array([experiment.cell.forget_bias]))
    return diagonal_norms(rate, np.ones(1), weights[:, None])


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


def _constant_lstm(
    biases: np.ndarray, v: np.ndarray, w: np.ndarray, initial: np.ndarray | None
) -> ClosedForm:
    """∂L/∂c_t = Σ_s w_s f^(s−t) o (1 − tanh² c_s) v with constant gates; h_0 does not depend on c_0."""
    i, f, o = (np.exp(log_sigmoid(biases[k])) for k in (0, 1, 3))
    g = np.tanh(biases[2])
    c = np.zeros_like(v) if initial is None else np.asarray(initial, np.float64)
    injected = np.zeros((len(w), len(v)))
    for t in range(1, len(w)):
        c = f * c + i * g
        decay = np.exp(-2 * np.abs(c))
        injected[t] = w[t] * v * o * 4 * decay / np.square(1 + decay)
    return ClosedForm(
        diagonal_norms(log_sigmoid(biases[1]), np.ones_like(v), injected),
        "constant gates: the forget gate to the power of the lag",
        r"\left\|\sum_{s \ge t} w_s\, f^{\,s-t} \odot o \odot (1-\tanh^2 c_s) \odot v\right\|",
    )
