"""Rigorous upper bounds on gradient norms over time, from the weights alone or from weights and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.activations import sigmoid, sigmoid_slope, tanh_slope
from explorer.cells import GRU, LSTM, RNN
from explorer.experiment import Experiment
from explorer.weights import Weights


def largest_singular_value(weights: Weights | np.ndarray) -> float:
    """σ_max of W_hh (all gate blocks stacked), or of any matrix; relative error about 1e-15."""
    matrix = weights if isinstance(weights, np.ndarray) else weights["weight_hh"]
    return float(np.linalg.norm(matrix, 2))


def gradient_bound(
    experiment: Experiment,
    weights: Weights,
    loss_weights: np.ndarray,
    *,
    inputs: np.ndarray | None = None,
    initial: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray | None:
    r"""log10 of an upper bound on ‖∂L/∂h_t‖ of every sample, [T+1], for L = Σ_t w_t v·h_t with ‖v‖ = 1.

    RNN (Pascanu, Mikolov & Bengio 2013): :math:`\sum_{s\ge t}|w_s|\,(\gamma\sigma_{\max})^{s-t}` with γ the
    largest slope. It is attained by a linear orthogonal network, up to rounding (1e-13 decades a step).

    GRU. :math:`h_t = (1-z)\odot n + z\odot h_{t-1}`, so, with U_r, U_z, U_n the blocks of W_hh,

    .. math::
        \lVert\partial h_t/\partial h_{t-1}\rVert \le \max z + \max|h-n|\,\sigma'(a_z)\,\lVert U_z\rVert
        + \max(1-z)\,n'\,(\max r\,\lVert U_n\rVert + \max|m|\,\sigma'(a_r)\,\lVert U_r\rVert)

    by the triangle inequality, with m = U_n h + b_hn; with the reset gate before the matrix |m|‖U_r‖ is
    replaced by max|h|·‖U_n‖·‖U_r‖. |n| ≤ 1, so |h_t| ≤ max(1, |h_0|) by convexity.

    LSTM. With C_t, A_t bounds of the total ‖∂L/∂c_t‖ and ‖∂L/∂h_t‖, norms of the adjoint equations give

    .. math::
        A_t &= |w_t| + \max|{\tanh c_{t+1}}|\,o'\,\lVert U_o\rVert A_{t+1} + (i\,g'\lVert U_g\rVert
        + |g|\,i'\lVert U_i\rVert + |c_t|\,f'\lVert U_f\rVert)\, C_{t+1} \\
        C_t &= \max f_{t+1}\, C_{t+1} + \max o_t\, A_t

    (the last factor 1 − tanh² c_t ≤ 1), with |c_t| ≤ max f |c_{t−1}| + max i|g| and |h_t| < 1 for t ≥ 1.

    Gates and slopes of gated cells are bounded unit by unit from
    :math:`|a_j - b_j| \le \lVert U_{j,:}\rVert_1 \max|h_{t-1}| + \sum_k|W_{jk}|\max|x_{t,k}|`. All maxima
    over units are taken apart, so these bounds are loose, and often grow where the gradient shrinks.

    Args:
        experiment: its cell is used, and ``initial_scale``.
        weights: torch names → arrays.
        loss_weights: w_t [T+1].
        inputs: x [T, B, I], which tightens the bounds of gated cells; without it any input is allowed for.
        initial: state name → [H, …] initial states; 0 if not given.

    Returns:
        [T+1], or None where no bound is known: gated cells with a random initial state that is not given,
        with a held gate or with other activations than torch's, and all further cells.
    """
    w = np.abs(np.asarray(loss_weights, np.float64))
    cell = experiment.cell
    if isinstance(cell, RNN):
        factor = cell.function.max_slope * largest_singular_value(weights)
        return _forward_fill(w, np.full(len(w) - 1, _log(factor)))
    if not isinstance(cell, (LSTM, GRU)) or not cell.is_standard or experiment.hold:
        return None
    if initial is None and experiment.initial_scale > 0:
        return None
    start = {name: float(np.abs(array).max(initial=0)) for name, array in (initial or {}).items()}
    largest = None if inputs is None else np.abs(np.asarray(inputs, np.float64)).max(axis=1)
    ranges = _Ranges(cell, weights, largest)
    if isinstance(cell, LSTM):
        return _lstm(w, ranges, start)
    return _forward_fill(w, _gru(cell, ranges, len(w) - 1, max(1.0, start.get("h", 0.0))))


def _log(value: float | np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(value))


def _forward_fill(w: np.ndarray, log_factors: np.ndarray) -> np.ndarray:
    """log10 B_t of B_t = w_t + factor_{t+1} B_{t+1}."""
    logs, bound = np.empty(len(w)), -np.inf
    for t in range(len(w) - 1, -1, -1):
        if t < len(w) - 1 and bound > -np.inf:
            bound += float(log_factors[t])
        bound = float(np.logaddexp(bound, _log(w[t])))
        logs[t] = bound
    return np.asarray(logs / np.log(10))


@dataclass
class _Ranges:
    """Unit by unit, how far the pre-activations of a gated cell can go at one step."""

    cell: LSTM | GRU
    weights: Weights
    largest: np.ndarray | None  # max over samples of |x|, [T, I]

    def __post_init__(self) -> None:
        count = self.cell.blocks
        self.blocks = np.split(self.weights["weight_hh"], count)
        self.norms = [largest_singular_value(block) for block in self.blocks]
        self.rows = [np.abs(block).sum(axis=1) for block in self.blocks]
        self.input_rows = np.split(np.abs(self.weights["weight_ih"]), count)
        self.bias_ih = np.split(self.weights["bias_ih"], count)
        self.bias_hh = np.split(self.weights["bias_hh"], count)

    def reach(self, k: int, t: int) -> np.ndarray:
        """Bound of |W_j x_t| for the step from state t, [H]; infinite when inputs are not known."""
        if self.largest is None:
            return np.where(self.input_rows[k].any(axis=1), np.inf, 0.0)
        return np.asarray(self.input_rows[k] @ self.largest[t])

    def slot(self, k: int, t: int, h: float) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest a_j of block k, [H] each, when |h| ≤ h."""
        centre = self.bias_ih[k] + self.bias_hh[k]
        radius = self.rows[k] * h + self.reach(k, t)
        return centre - radius, centre + radius


def _nearest(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The point of [low, high] that is closest to 0, where the slopes of σ and tanh are largest."""
    return np.asarray(np.clip(0.0, low, high))


def _lstm(w: np.ndarray, ranges: _Ranges, start: dict[str, float]) -> np.ndarray:
    steps = len(w) - 1
    norm_i, norm_f, norm_g, norm_o = ranges.norms
    forget, into_h, into_c, shown = (np.empty(steps) for _ in range(4))
    h, c = start.get("h", 0.0), start.get("c", 0.0)
    for t in range(steps):
        (low_i, high_i), (low_f, high_f), (low_g, high_g), (low_o, high_o) = (
            ranges.slot(k, t, h) for k in range(4)
        )
        i, f, o = sigmoid(high_i), sigmoid(high_f), sigmoid(high_o)
        g = np.tanh(np.maximum(np.abs(low_g), np.abs(high_g)))
        into_c[t] = (
            (i * tanh_slope(_nearest(low_g, high_g))).max() * norm_g
            + (g * sigmoid_slope(_nearest(low_i, high_i))).max() * norm_i
            + sigmoid_slope(_nearest(low_f, high_f)).max() * c * norm_f
        )
        forget[t], shown[t] = f.max(), o.max()
        c = float(f.max() * c + (i * g).max())
        into_h[t] = np.tanh(c) * sigmoid_slope(_nearest(low_o, high_o)).max() * norm_o
        h = float(np.tanh(c) * o.max())
    logs = np.full(steps + 1, -np.inf)
    a = c_bar = np.asarray(-np.inf)
    for t in range(steps, -1, -1):
        kept = np.asarray(-np.inf)
        if t < steps:
            a, kept = np.logaddexp(_log(into_h[t]) + a, _log(into_c[t]) + c_bar), _log(forget[t]) + c_bar
        a = np.logaddexp(a, _log(w[t]))
        c_bar = kept if t == 0 else np.logaddexp(kept, _log(shown[t - 1]) + a)
        logs[t] = a
    return np.asarray(logs / np.log(10))


def _gru(cell: GRU, ranges: _Ranges, steps: int, h: float) -> np.ndarray:
    """ln of the bound of ‖∂h_t/∂h_{t−1}‖ for every step, [T]."""
    norm_r, norm_z, norm_n = ranges.norms
    factors = np.empty(steps)
    for t in range(steps):
        (low_r, high_r), (low_z, high_z) = (ranges.slot(k, t, h) for k in range(2))
        if cell.update == "keeps":
            kept, fresh = sigmoid(high_z), sigmoid(-low_z)
        else:
            kept, fresh = sigmoid(-low_z), sigmoid(high_z)
        r, slope_r = sigmoid(high_r).max(), sigmoid_slope(_nearest(low_r, high_r))
        if cell.reset == "after":
            m = ranges.rows[2] * h + np.abs(ranges.bias_hh[2])
            candidate = r * norm_n + (m * slope_r).max() * norm_r
        else:
            candidate = norm_n * (r + h * slope_r.max() * norm_r)
        slope_z = sigmoid_slope(_nearest(low_z, high_z)).max()
        factors[t] = kept.max() + (h + 1) * slope_z * norm_z + fresh.max() * candidate
    return _log(factors)
