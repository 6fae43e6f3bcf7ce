"""The LSTM that forgets exactly as much as it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from explorer.cells.cell import Array, Record, Slot
from explorer.cells.fields import Function, bias_of, function_of
from explorer.cells.long_memory import LongMemory, candidate_bias, output_bias


class Coupled(LongMemory):
    r"""LSTM with coupled input and forget gates: f = 1 − i (CIFG, Greff et al. 2017).

    .. math::
        i_t &= \sigma(a^i_t), \quad f_t = 1 - i_t, \quad g_t = \tanh(a^g_t), \quad o_t = \sigma(a^o_t) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)

    with :math:`a^k_t = W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}`; the rows of the weights are the
    blocks i, g, o. With a logistic input gate |c_t| ≤ max(1, |c_0|), because c_t lies between c_{t-1} and
    g_t. An input bias b is a forget bias −b: 1 − σ(b) = σ(−b).
    """

    kind: Literal["coupled"] = "coupled"
    input_bias: float = bias_of(
        "input", "Added to the input gate's bias: larger writes more and keeps less, because f = 1 − i."
    )
    candidate_bias: float = candidate_bias()
    output_bias: float = output_bias()
    input_activation: Function = function_of("input gate")
    output_activation: Function = function_of("output gate")
    candidate_activation: Function = function_of("candidate", "tanh")
    cell_activation: Function = function_of("cell", "tanh")

    slots: ClassVar[tuple[Slot, ...]] = (Slot("cell", 1), Slot("input", 0), Slot("output", 2))
    blocks: ClassVar[int] = 3

    def bias_offsets(self) -> Mapping[int, float]:
        """The three bias fields, by block."""
        return {0: self.input_bias, 1: self.candidate_bias, 2: self.output_bias}

    def kept(self, i: Array, slots: Mapping[str, Array], record: Record) -> Array:
        """f = 1 − i without cancellation."""
        other = self.function("input").complement(slots["input"])
        return record.gate("forget", record.complement("input", i, other))

    def writing(self, gates: Mapping[str, np.ndarray], c: np.ndarray) -> dict[str, np.ndarray]:
        """More of i writes g in place of what was there."""
        return {"cell": gates["input"], "input": gates["cell"] - c}
