"""The long short-term memory cell with a forget gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import numpy as np

from explorer.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from explorer.cells.cell import Array, Cell, Partials, Record, Slot
from explorer.parameters import parameter

_BOUNDS = (-10, 10)


def _within(array: np.ndarray, limit: float) -> bool:
    """Whether all |entries| are below the limit (no temporaries)."""
    return bool(array.max() < limit and array.min() > -limit)


class LSTM(Cell):
    r"""Long short-term memory, the equations of ``torch.nn.LSTMCell``.

    .. math::
        i_t &= \sigma(a^i_t), \quad f_t = \sigma(a^f_t), \quad o_t = \sigma(a^o_t), \quad
        g_t = \tanh(a^g_t) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)

    with :math:`a^k_t = W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}`; all vectors have H entries, the rows of
    the weights are the blocks i, f, g, o. Hochreiter & Schmidhuber (1997); forget gate: Gers et al. (2000).
    """

    kind: Literal["lstm"] = "lstm"
    forget_bias: float = parameter(
        0.0,
        "forget bias",
        "Added to the forget gate's bias: larger keeps the cell longer (torch's two biases add up).",
        bounds=_BOUNDS,
        step=0.1,
    )
    input_bias: float = parameter(
        0.0, "input bias", "Added to the input gate's bias: larger writes more.", bounds=_BOUNDS, step=0.1
    )
    candidate_bias: float = parameter(
        0.0,
        "candidate bias",
        "Added to the candidate's bias: shifts what is written.",
        bounds=_BOUNDS,
        step=0.1,
    )
    output_bias: float = parameter(
        0.0,
        "output bias",
        "Added to the output gate's bias: larger shows more of the cell.",
        bounds=_BOUNDS,
        step=0.1,
    )

    states: ClassVar[tuple[str, ...]] = ("c", "h")
    gates: ClassVar[tuple[str, ...]] = ("cell", "input", "forget", "output")
    # The three slots that act on c stand together, and so do the three sigmoids.
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("cell", 2),
        Slot("input", 0),
        Slot("forget", 1),
        Slot("output", 3),
    )
    blocks: ClassVar[int] = 4

    def bias_offsets(self) -> Mapping[int, float]:
        """The four bias fields, by torch's block order i, f, g, o."""
        return {0: self.input_bias, 1: self.forget_bias, 2: self.candidate_bias, 3: self.output_bias}

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """The equations of the class docstring."""
        i = record.gate("input", sigmoid(slots["input"]))
        f = record.gate("forget", sigmoid(slots["forget"]))
        g = record.gate("cell", tanh(slots["cell"]))
        o = record.gate("output", sigmoid(slots["output"]))
        c = record.state("c", f * previous["c"] + i * g)
        record.state("h", o * tanh(c))

    def stepper(
        self, slots: np.ndarray, gates: np.ndarray, states: Mapping[str, np.ndarray]
    ) -> Callable[[int], None]:
        """As ``core``, with σ(a) = ½ tanh(a/2) + ½ so that one call covers all four gates."""
        halves = np.array([1, 0.5, 0.5, 0.5], slots.dtype)[:, None, None]
        source, target, sigmoids = list(slots), list(gates), list(gates[:, 1:])
        g, i, f, o = (list(gates[:, k]) for k in range(4))
        c, h = list(states["c"]), list(states["h"])

        def step(t: int) -> None:
            gate, sigmoid, cell, hidden = target[t], sigmoids[t], c[t + 1], h[t + 1]
            np.multiply(source[t], halves, out=gate)
            np.tanh(gate, out=gate)
            np.multiply(sigmoid, 0.5, out=sigmoid)
            np.add(sigmoid, 0.5, out=sigmoid)
            np.multiply(f[t], c[t], out=cell)
            np.multiply(i[t], g[t], out=hidden)
            np.add(cell, hidden, out=cell)
            np.tanh(cell, out=hidden)
            np.multiply(hidden, o[t], out=hidden)

        return step

    def refine(self, slots: np.ndarray, gates: np.ndarray, largest: float = np.inf) -> None:
        """Gates close to 0, which ½ tanh(a/2) + ½ gives with an absolute error only."""
        if largest > 3:
            low = slots[:, 1:] < -3
            gates[:, 1:][low] = sigmoid(slots[:, 1:][low])

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials:
        """Hand-derived; slopes of saturated units are taken from the slots and not from the gates."""
        g, i, f, o = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]
        tanh_c = np.tanh(new["c"])
        into_c = np.empty_like(gates[:, :3])
        into_h = np.empty_like(gates[:, 3:])
        if largest < 2 and _within(new["c"], 2):
            shown = o * tanh_c
            into_h[:, 0] = shown - shown * o
            within = o - shown * tanh_c
            written = i * g
            into_c[:, 0] = i - written * g
            into_c[:, 1] = written - written * i
            kept = previous["c"] * f
            into_c[:, 2] = kept - kept * f
        else:
            slope = sigmoid_slope(slots[:, 1:])
            np.multiply(i, tanh_slope(slots[:, 0]), out=into_c[:, 0])
            np.multiply(g, slope[:, 0], out=into_c[:, 1])
            np.multiply(previous["c"], slope[:, 1], out=into_c[:, 2])
            np.multiply(tanh_c, slope[:, 2], out=into_h[:, 0])
            within = o * tanh_slope(new["c"])
        return Partials(
            slots=[("c", slice(0, 3), into_c), ("h", slice(3, 4), into_h)],
            carry={("c", "c"): f},
            within={("h", "c"): within},
        )
