"""The LSTM with one part taken out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from explorer.activations import ACTIVATIONS, Activation
from explorer.cells.cell import Array, Record, Slot
from explorer.cells.long_memory import FourGates
from explorer.parameters import parameter

_FUNCTIONS = {"input_activation": "cell", "output_activation": "c"}


class Ablated(FourGates):
    r"""LSTM without one part: the one-change variants of 'a search space odyssey' (Greff et al. 2017).

    .. math::
        i_t &= \sigma(a^i_t), \quad f_t = \sigma(a^f_t), \quad o_t = \sigma(a^o_t), \quad
        g_t = \tanh(a^g_t) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t) \\
        &\text{but one of } i = 1, \quad f = 1, \quad o = 1, \quad g_t = a^g_t, \quad
        h_t = o_t \odot c_t

    f = 1 is the LSTM of 1997, whose cell keeps its gradient for ever (Hochreiter & Schmidhuber). The weights
    have the LSTM's four blocks i, f, g, o whatever is missing, so that all other parts have the LSTM's
    numbers at the same seed; the block of a missing gate is not read. Their 'full gate recurrence' is not
    among these: its gates would read the other gates of the step before through matrices.
    """

    kind: Literal["ablated"] = "ablated"
    without: Literal["forget_gate", "input_gate", "output_gate", "input_activation", "output_activation"] = (
        parameter(
            "forget_gate",
            "without",
            "The part that is taken out; the bias of a missing gate does nothing.",
            names={
                "forget_gate": "forget gate: f = 1 (1997)",
                "input_gate": "input gate: i = 1",
                "output_gate": "output gate: o = 1",
                "input_activation": "input activation: g = a",
                "output_activation": "output activation: h = o ⊙ c",
            },
        )
    )

    @property
    def missing(self) -> str:
        """The gate that is always 1; "" where an activation is missing."""
        name, _, part = self.without.partition("_")
        return name if part == "gate" else ""

    def function(self, name: str) -> Activation:
        """That of the LSTM; the identity in the place of a missing one."""
        return ACTIVATIONS["linear"] if _FUNCTIONS.get(self.without) == name else super().function(name)

    def wiring(self) -> tuple[Slot, ...]:
        """The slots of the parts that are there."""
        return tuple(slot for slot in self.slots if slot.name != self.missing)

    def bias_offsets(self) -> Mapping[int, float]:
        """Those of the blocks that are read."""
        read = {slot.block for slot in self.wiring()}
        return {block: value for block, value in super().bias_offsets().items() if block in read}

    def opened(self, gate: str, slots: Mapping[str, Array], record: Record) -> Array:
        """A gate by its activation; 1 for the missing one."""
        return record.gate(gate, 1.0) if gate == self.missing else super().opened(gate, slots, record)
