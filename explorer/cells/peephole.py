"""The LSTM whose gates look at the cell itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from explorer import pool
from explorer.cells.cell import Array, Partials, Record
from explorer.cells.fields import Function, function_of
from explorer.cells.long_memory import FourGates
from explorer.parameters import parameter


class Peephole(FourGates):
    r"""LSTM with peephole connections (Gers & Schmidhuber 2000).

    .. math::
        i_t &= \sigma(a^i_t + p_i \odot c_{t-1}), \quad f_t = \sigma(a^f_t + p_f \odot c_{t-1}), \quad
        g_t = \tanh(a^g_t) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \quad o_t = \sigma(a^o_t + p_o \odot c_t), \quad
        h_t = o_t \odot \tanh(c_t)

    with :math:`a^k_t = W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}`; p_i, p_f, p_o [H] are drawn like biases.
    The rows of the weights are the blocks i, f, g, o. Through i and f the cell reaches its next value by more
    than f: with all a fixed, :math:`\partial c_t/\partial c_{t-1} = f_t + p_f f'_t c_{t-1} + p_i i'_t g_t`.
    """

    kind: Literal["peephole"] = "peephole"
    peephole_strength: float = parameter(
        1.0,
        "peephole strength",
        "Multiplies the peepholes p, drawn in ±1/√N; at 0 the cell is the plain LSTM.",
        bounds=(0, 20),
        step=0.1,
    )
    input_activation: Function = function_of("input gate")
    forget_activation: Function = function_of("forget gate")
    output_activation: Function = function_of("output gate")
    candidate_activation: Function = function_of("candidate", "tanh")
    cell_activation: Function = function_of("cell", "tanh")

    vectors: ClassVar[tuple[str, ...]] = ("peephole_input", "peephole_forget", "peephole_output")

    def vector_scale(self) -> float:
        """The peepholes' strength."""
        return self.peephole_strength

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """The equations of the class docstring."""
        c = previous["c"]
        seen = {gate: slots[gate] + record.vector(f"peephole_{gate}") * c for gate in ("input", "forget")}
        i, f = self.opened("input", seen, record), self.opened("forget", seen, record)
        g = record.gate("cell", self.function("cell").function(slots["cell"]))
        c = record.state("c", f * c + i * g)
        o = self.opened("output", {"output": slots["output"] + record.vector("peephole_output") * c}, record)
        record.state("h", o * self.function("c").function(c))

    def vector_readings(
        self, previous: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray]
    ) -> Mapping[str, tuple[str, np.ndarray]]:
        """i and f look at the cell of the step before, o at the present one."""
        seen = {"input": previous["c"], "forget": previous["c"], "output": new["c"]}
        return {f"peephole_{gate}": (gate, c) for gate, c in seen.items()}

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials | None:
        """Without the peepholes nothing can be said; see ``partials_with``."""
        return None

    def partials_with(
        self,
        vectors: Mapping[str, np.ndarray],
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
    ) -> Partials:
        """Hand-derived; every gate also looks at the cell, so c has more than one way through a step."""
        g, i, f, o = np.moveaxis(gates, 1, 0)
        old, c = previous["c"], new["c"]
        shown = self.function("c").function(c)
        into = pool.empty(slots.shape, slots.dtype)
        np.multiply(i, self.function("cell").slope(slots[:, 0]), out=into[:, 0])
        for k, gate, cell, factor in ((1, "input", old, g), (2, "forget", old, old), (3, "output", c, shown)):
            seen = slots[:, k] + vectors[f"peephole_{gate}"] * cell
            np.multiply(factor, self.function(gate).slope(seen), out=into[:, k])
        kept = f + vectors["peephole_input"] * into[:, 1] + vectors["peephole_forget"] * into[:, 2]
        within = o * self.function("c").slope(c) + vectors["peephole_output"] * into[:, 3]
        return Partials(
            slots=[("c", slice(0, 3), into[:, :3]), ("h", slice(3, 4), into[:, 3:])],
            carry={("c", "c"): kept},
            within={("h", "c"): within},
        )
