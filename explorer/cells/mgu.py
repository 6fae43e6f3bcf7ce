"""The minimal gated unit: a GRU whose one gate does both jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import numpy as np

from explorer.activations import refine_sigmoids, sigmoid, sigmoid_slope, tanh, tanh_slope
from explorer.cells.cell import BIAS_HH, BIAS_IH, INPUT, MESSAGE, Array, Cell, Partials, Record, Slot
from explorer.parameters import parameter


class MGU(Cell):
    r"""Minimal gated unit (Zhou, Wu, Zhang & Zhou 2016): two matrices where the GRU has three.

    .. math::
        f_t &= \sigma(W_f x_t + b_{if} + U_f h_{t-1} + b_{hf}) \\
        n_t &= \tanh(W_n x_t + b_{in} + U_n (f_t \odot h_{t-1}) + b_{hn}) \\
        h_t &= (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    All vectors have H entries; the rows of the weights are the blocks f, n. In this paper f *renews*: f = 0
    keeps the state for ever, unlike the forget gate of an LSTM.
    """

    kind: Literal["mgu"] = "mgu"
    forget_bias: float = parameter(
        0.0,
        "forget bias",
        "Added to the gate's bias: smaller keeps the state longer, because 1 − f multiplies it.",
        bounds=(-10, 10),
        step=0.1,
    )
    candidate_bias: float = parameter(
        0.0,
        "candidate bias",
        "Added to the candidate's bias: shifts what is written.",
        bounds=(-10, 10),
        step=0.1,
    )

    gates: ClassVar[tuple[str, ...]] = ("forget", "new")
    blocks: ClassVar[int] = 2
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("forget", 0),
        Slot("new_input", 1, frozenset({INPUT, BIAS_IH, BIAS_HH})),
        Slot("new_hidden", 1, frozenset({MESSAGE})),
    )

    def bias_offsets(self) -> Mapping[int, float]:
        """The two bias fields, by block."""
        return {0: self.forget_bias, 1: self.candidate_bias}

    def message(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> Array:
        """f ⊙ h, read by U_n."""
        return record.gate("forget", sigmoid(slots["forget"])) * previous["h"]

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """The equations of the class docstring."""
        f = record.gate("forget", sigmoid(slots["forget"]))
        n = record.gate("new", tanh(slots["new_input"] + slots["new_hidden"]))
        kept = record.complement("forget", f, sigmoid(-slots["forget"]))
        record.state("h", kept * previous["h"] + f * n)

    def stepper(
        self, slots: np.ndarray, gates: np.ndarray, states: Mapping[str, np.ndarray]
    ) -> Callable[[int], None]:
        """As ``core``: σ(a) = ½ tanh(a/2) + ½, and h_t = h + f (n − h)."""
        multiply, add, subtract, tanh = np.multiply, np.add, np.subtract, np.tanh
        given, from_x, from_h = (list(slots[:, k]) for k in range(3))
        f, n, h = list(gates[:, 0]), list(gates[:, 1]), list(states["h"])

        def step(t: int) -> None:
            gate, new, old, result = f[t], n[t], h[t], h[t + 1]
            multiply(given[t], 0.5, gate)
            tanh(gate, gate)
            multiply(gate, 0.5, gate)
            add(gate, 0.5, gate)
            add(from_x[t], from_h[t], new)
            tanh(new, new)
            subtract(new, old, result)
            multiply(result, gate, result)
            add(result, old, result)

        return step

    def refine(self, slots: np.ndarray, gates: np.ndarray, largest: float = np.inf) -> None:
        """Gates close to 0, which ½ tanh(a/2) + ½ gives with an absolute error only."""
        if largest > 3:
            refine_sigmoids(slots[:, :1], gates[:, :1])

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials:
        """Hand-derived; the gate acts on the state and, through the message, on the candidate."""
        f, n, h = gates[:, 0], gates[:, 1], previous["h"]
        slope = sigmoid_slope(slots[:, 0])
        into_h = np.empty_like(slots)
        np.multiply(n - h, slope, out=into_h[:, 0])
        np.multiply(f, tanh_slope(slots[:, 1] + slots[:, 2]), out=into_h[:, 1])
        into_h[:, 2] = into_h[:, 1]
        return Partials(
            slots=[("h", slice(0, 3), into_h)],
            carry={("h", "h"): sigmoid(-slots[:, 0])},
            message_slots={"forget": h * slope},
            message_carry={"h": f},
        )
