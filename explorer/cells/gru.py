"""The gated recurrent unit, in both conventions of z and of the reset gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import numpy as np

from explorer.activations import ACTIVATIONS, Activation, refine_sigmoids
from explorer.cells.cell import BIAS_HH, BIAS_IH, HIDDEN, INPUT, MESSAGE, Array, Cell, Partials, Record, Slot
from explorer.cells.fields import Function, chrono_field, draw_chrono, function_of
from explorer.parameters import parameter

_BOUNDS = (-10, 10)


class GRU(Cell):
    r"""Gated recurrent unit (Cho et al. 2014); with the default fields exactly ``torch.nn.GRUCell``.

    .. math::
        r_t &= \sigma(a^r_t), \quad z_t = \sigma(a^z_t) \\
        n_t &= \tanh(W_n x_t + b_{in} + r_t \odot (U_n h_{t-1} + b_{hn})) && \text{reset after the matrix} \\
        n_t &= \tanh(W_n x_t + b_{in} + U_n (r_t \odot h_{t-1}) + b_{hn}) && \text{reset before the matrix} \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1} && \text{z keeps (PyTorch)} \\
        h_t &= z_t \odot n_t + (1 - z_t) \odot h_{t-1} && \text{z renews (Cho et al. 2014, many texts)}

    with :math:`a^k_t = W_k x_t + b_{ih,k} + U_k h_{t-1} + b_{hh,k}`; the rows of the weights are the blocks
    r, z, n. The two meanings of z are the same network with the sign of all z weights flipped. The activation
    fields put other functions in the place of σ and tanh.
    """

    kind: Literal["gru"] = "gru"
    reset: Literal["after", "before"] = parameter(
        "after",
        "reset gate",
        "Whether r multiplies U·h (PyTorch, cuDNN) or h before the matrix (the original paper).",
        names={"after": "after the matrix", "before": "before the matrix"},
    )
    update: Literal["keeps", "renews"] = parameter(
        "keeps",
        "z means",
        "Which side of z keeps the old state: PyTorch keeps with z, many texts keep with 1 − z.",
        names={"keeps": "z keeps (PyTorch)", "renews": "1 − z keeps"},
    )
    update_bias: float = parameter(
        0.0,
        "update bias",
        "Added to the update gate's bias: pushes z towards 1 or 0.",
        bounds=_BOUNDS,
        step=0.1,
    )
    reset_bias: float = parameter(
        0.0,
        "reset bias",
        "Added to the reset gate's bias: larger lets more of the past in.",
        bounds=_BOUNDS,
        step=0.1,
    )
    candidate_bias: float = parameter(
        0.0,
        "candidate bias",
        "Added to the candidate's bias: shifts what is written.",
        bounds=_BOUNDS,
        step=0.1,
    )

    reset_activation: Function = function_of("reset gate")
    update_activation: Function = function_of("update gate")
    candidate_activation: Function = function_of("candidate", "tanh")

    chrono: int = chrono_field("update")

    gates: ClassVar[tuple[str, ...]] = ("reset", "update", "new")
    blocks: ClassVar[int] = 3
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("reset", 0),
        Slot("update", 1),
        Slot("new_input", 2, frozenset({INPUT, BIAS_IH})),
        Slot("new_hidden", 2, frozenset({HIDDEN, BIAS_HH})),
    )

    @property
    def functions(self) -> dict[str, Activation]:
        """Gate → its activation."""
        chosen = {
            "reset": self.reset_activation,
            "update": self.update_activation,
            "new": self.candidate_activation,
        }
        return {gate: ACTIVATIONS[name] for gate, name in chosen.items()}

    @property
    def is_standard(self) -> bool:
        """Whether both gates are logistic and the candidate tanh, as in ``torch.nn.GRU``."""
        return [function.name for function in self.functions.values()] == ["sigmoid", "sigmoid", "tanh"]

    def wiring(self) -> tuple[Slot, ...]:
        """Reset before the matrix: the last slot reads the message r ⊙ h."""
        if self.reset == "after":
            return self.slots
        return (
            *self.slots[:2],
            Slot("new_input", 2, frozenset({INPUT, BIAS_IH, BIAS_HH})),
            Slot("new_hidden", 2, frozenset({MESSAGE})),
        )

    def bias_offsets(self) -> Mapping[int, float]:
        """The bias fields, by torch's block order r, z, n."""
        return {0: self.reset_bias, 1: self.update_bias, 2: self.candidate_bias}

    def unit_biases(self, rng: np.random.Generator, hidden_size: int) -> Mapping[int, np.ndarray]:
        """Chrono initialisation: ln u added to what z keeps, taken from it where 1 − z keeps."""
        if not self.chrono:
            return {}
        drawn = draw_chrono(self.chrono, rng, hidden_size)
        return {1: drawn if self.update == "keeps" else -drawn}

    def message(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> Array:
        """r ⊙ h, read by U_n when the reset gate stands before the matrix."""
        return record.gate("reset", self.functions["reset"].function(slots["reset"])) * previous["h"]

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """The equations of the class docstring."""
        functions = self.functions
        r = record.gate("reset", functions["reset"].function(slots["reset"]))
        z = record.gate("update", functions["update"].function(slots["update"]))
        inner = r * slots["new_hidden"] if self.reset == "after" else slots["new_hidden"]
        n = record.gate("new", functions["new"].function(slots["new_input"] + inner))
        # 1 − z as σ(−a): near z = 1 the difference would have no digits left; a held z has no slot behind it.
        other = record.complement("update", z, functions["update"].complement(slots["update"]))
        old, fresh = (z, other) if self.update == "keeps" else (other, z)
        record.state("h", fresh * n + old * previous["h"])

    def stepper(
        self, slots: np.ndarray, gates: np.ndarray, states: Mapping[str, np.ndarray]
    ) -> Callable[[int], None]:
        """As ``core``: σ(a) = ½ tanh(a/2) + ½, and h_t = n + z (h − n) or h + z (n − h)."""
        if not self.is_standard:
            return super().stepper(slots, gates, states)
        multiply, add, subtract, tanh = np.multiply, np.add, np.subtract, np.tanh
        given, opened = list(slots[:, :2]), list(gates[:, :2])
        after, keeps = self.reset == "after", self.update == "keeps"
        r, z, n = (list(gates[:, k]) for k in range(3))
        from_x, from_h, h = list(slots[:, 2]), list(slots[:, 3]), list(states["h"])

        def step(t: int) -> None:
            gate, new, old, result = opened[t], n[t], h[t], h[t + 1]
            multiply(given[t], 0.5, gate)
            tanh(gate, gate)
            multiply(gate, 0.5, gate)
            add(gate, 0.5, gate)
            add(from_x[t], multiply(r[t], from_h[t], new) if after else from_h[t], new)
            tanh(new, new)
            start, end = (new, old) if keeps else (old, new)
            subtract(end, start, result)
            multiply(result, z[t], result)
            add(result, start, result)

        return step

    def refine(self, slots: np.ndarray, gates: np.ndarray, largest: float = np.inf) -> None:
        """Gates close to 0, which ½ tanh(a/2) + ½ gives with an absolute error only."""
        if largest > 3 and self.is_standard:
            refine_sigmoids(slots[:, :2], gates[:, :2])

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials:
        """Hand-derived for both conventions."""
        r, z, n = gates[:, 0], gates[:, 1], gates[:, 2]
        h = previous["h"]
        functions = self.functions
        other = functions["update"].complement(slots[:, 1])
        old, fresh, sign = (z, other, 1) if self.update == "keeps" else (other, z, -1)
        slope_r, slope_z = functions["reset"].slope(slots[:, 0]), functions["update"].slope(slots[:, 1])
        into_h = np.empty_like(slots)
        if self.reset == "after":
            into_n = fresh * functions["new"].slope(slots[:, 2] + r * slots[:, 3])
            np.multiply(into_n, slots[:, 3] * slope_r, out=into_h[:, 0])
            np.multiply(into_n, r, out=into_h[:, 3])
        else:
            into_n = fresh * functions["new"].slope(slots[:, 2] + slots[:, 3])
            into_h[:, 0] = 0
            into_h[:, 3] = into_n
        np.multiply(sign * (h - n), slope_z, out=into_h[:, 1])
        into_h[:, 2] = into_n
        partials = Partials(slots=[("h", slice(0, 4), into_h)], carry={("h", "h"): old})
        if self.reset == "before":
            partials.message_slots = {"reset": h * slope_r}
            partials.message_carry = {"h": r}
        return partials
