"""The long short-term memory cell with a forget gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np

from explorer import pool
from explorer.activations import refine_sigmoids, sigmoid_slope, tanh_slope
from explorer.cells.cell import Partials
from explorer.cells.fields import Function, function_of
from explorer.cells.long_memory import FourGates


def _within(array: np.ndarray, limit: float) -> bool:
    """Whether all |entries| are below the limit (no temporaries)."""
    return bool(array.max() < limit and array.min() > -limit)


class LSTM(FourGates):
    r"""Long short-term memory, the equations of ``torch.nn.LSTMCell``.

    .. math::
        i_t &= \sigma(a^i_t), \quad f_t = \sigma(a^f_t), \quad o_t = \sigma(a^o_t), \quad
        g_t = \tanh(a^g_t) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)

    with :math:`a^k_t = W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}`; all vectors have H entries, the rows of
    the weights are the blocks i, f, g, o. Hochreiter & Schmidhuber (1997); forget gate: Gers et al. (2000).
    The activation fields put other functions in the place of σ and tanh.
    """

    kind: Literal["lstm"] = "lstm"
    input_activation: Function = function_of("input gate")
    forget_activation: Function = function_of("forget gate")
    output_activation: Function = function_of("output gate")
    candidate_activation: Function = function_of("candidate", "tanh")
    cell_activation: Function = function_of("cell", "tanh")

    def stepper(
        self, slots: np.ndarray, gates: np.ndarray, states: Mapping[str, np.ndarray]
    ) -> Callable[[int], None]:
        """As ``core``, with σ(a) = ½ tanh(a/2) + ½ so that one call covers all four gates."""
        if not self.is_standard:
            return super().stepper(slots, gates, states)
        multiply, add, tanh = np.multiply, np.add, np.tanh
        a_g, a_sigmoids, sigmoids = list(slots[:, 0]), list(slots[:, 1:]), list(gates[:, 1:])
        g, i, f, o = (list(gates[:, k]) for k in range(4))
        c, h = list(states["c"]), list(states["h"])

        def step(t: int) -> None:
            sigmoid, cell, hidden = sigmoids[t], c[t + 1], h[t + 1]
            tanh(a_g[t], g[t])
            multiply(a_sigmoids[t], 0.5, sigmoid)
            tanh(sigmoid, sigmoid)
            multiply(sigmoid, 0.5, sigmoid)
            add(sigmoid, 0.5, sigmoid)
            multiply(f[t], c[t], cell)
            multiply(i[t], g[t], hidden)
            add(cell, hidden, cell)
            tanh(cell, hidden)
            multiply(hidden, o[t], hidden)

        return step

    def refine(self, slots: np.ndarray, gates: np.ndarray, largest: float = np.inf) -> None:
        """Gates close to 0, which ½ tanh(a/2) + ½ gives with an absolute error only."""
        if largest > 3 and self.is_standard:
            refine_sigmoids(slots[:, 1:], gates[:, 1:])

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials | None:
        """Hand-derived; slopes of saturated units are taken from the slots and not from the gates."""
        if not self.is_standard:
            return super().partials(slots, gates, previous, new, largest)
        count, _, *shape = gates.shape
        into_c = pool.empty((count, 3, *shape), gates.dtype)
        into_h, within, spare = (pool.empty((count, *shape), gates.dtype) for _ in range(3))
        if largest < 2 and _within(new["c"], 2):
            _mild_partials(gates, previous["c"], new["c"], into_c, into_h, within, spare)
        else:
            g, i, o = gates[:, 0], gates[:, 1], gates[:, 3]
            slope = sigmoid_slope(slots[:, 1:])
            np.multiply(i, tanh_slope(slots[:, 0]), out=into_c[:, 0])
            np.multiply(g, slope[:, 0], out=into_c[:, 1])
            np.multiply(previous["c"], slope[:, 1], out=into_c[:, 2])
            np.multiply(np.tanh(new["c"]), slope[:, 2], out=into_h)
            np.multiply(o, tanh_slope(new["c"]), out=within)
        return Partials(
            slots=[("c", slice(0, 3), into_c), ("h", slice(3, 4), into_h[:, None])],
            carry={("c", "c"): gates[:, 2]},
            within={("h", "c"): within},
        )


def _mild_partials(gates: np.ndarray, c: np.ndarray, new_c: np.ndarray, *results: np.ndarray) -> None:
    """Derivatives in terms of the gates, exact while nothing saturates; fills into_c, into_h and within.

    torch's x − y·z in one pass: with memory as the limit it takes half the time of NumPy's two passes.
    """
    import torch

    into_c, into_h, within, spare = map(torch.from_numpy, results)
    g, i, f, o = torch.from_numpy(gates).unbind(1)
    less = partial(torch.addcmul, value=-1)  # less(x, y, z) = x − y·z
    squashed = torch.tanh(torch.from_numpy(new_c), out=into_h)
    shown = torch.mul(o, squashed, out=spare)
    less(o, shown, squashed, out=within)
    less(shown, shown, o, out=into_h)
    written = torch.mul(i, g, out=spare)
    less(i, written, g, out=into_c[:, 0])
    less(written, written, i, out=into_c[:, 1])
    kept = torch.mul(torch.from_numpy(c), f, out=spare)
    less(kept, kept, f, out=into_c[:, 2])
