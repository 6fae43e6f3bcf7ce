"""What the LSTM and its siblings share: a cell that is kept and written, and shown through an output gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from explorer import pool
from explorer.activations import ACTIVATIONS, Activation
from explorer.cells.cell import Array, Cell, Partials, Record, Slot
from explorer.cells.fields import bias_of, chrono_field, draw_chrono

# Slot, or c → (field that names its function, the function of cells without that field)
_FIELDS = {
    "input": ("input_activation", "sigmoid"),
    "forget": ("forget_activation", "sigmoid"),
    "output": ("output_activation", "sigmoid"),
    "cell": ("candidate_activation", "tanh"),
    "c": ("cell_activation", "tanh"),
}


def candidate_bias() -> Any:
    """The candidate's bias."""
    return bias_of("candidate", "Added to the candidate's bias: shifts what is written.")


def output_bias() -> Any:
    """The output gate's bias."""
    return bias_of("output", "Added to the output gate's bias: larger shows more of the cell.")


class LongMemory(Cell):
    r"""Base of cells with c_t = f ⊙ c_{t-1} + i ⊙ g and h_t = o ⊙ φ(c_t).

    Subclasses have the slots ``cell`` (the candidate), ``input``, ``forget`` and ``output`` or some of them,
    and, if the functions may be chosen, the fields ``input_activation``, ``forget_activation``,
    ``output_activation``, ``candidate_activation`` and ``cell_activation``.
    """

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

    def function(self, name: str) -> Activation:
        """The activation of a slot, or for ``c`` the function φ through which the cell is shown."""
        field, default = _FIELDS[name]
        return ACTIVATIONS[getattr(self, field, default)]

    @property
    def functions(self) -> dict[str, Activation]:
        """Slot → its activation, and ``c`` → φ."""
        return {name: self.function(name) for name in (*(slot.name for slot in self.wiring()), "c")}

    @property
    def is_standard(self) -> bool:
        """Whether all gates are logistic and both other functions tanh, as in ``torch.nn.LSTM``."""
        return all(self.function(name).name == default for name, (_, default) in _FIELDS.items())

    def core(self, slots: Mapping[str, Array], previous: Mapping[str, Array], record: Record) -> None:
        """The equations of the class docstring."""
        i = self.opened("input", slots, record)
        f = self.kept(i, slots, record)
        o = self.opened("output", slots, record)
        g = record.gate("cell", self.function("cell").function(slots["cell"]))
        c = record.state("c", f * previous["c"] + i * g)
        record.state("h", o * self.function("c").function(c))

    def opened(self, gate: str, slots: Mapping[str, Array], record: Record) -> Array:
        """A gate by its activation, as the record takes it."""
        return record.gate(gate, self.function(gate).function(slots[gate]))

    def kept(self, i: Array, slots: Mapping[str, Array], record: Record) -> Array:
        """The forget gate f."""
        return self.opened("forget", slots, record)

    def writing(self, gates: Mapping[str, np.ndarray], c: np.ndarray) -> dict[str, np.ndarray]:
        """∂c_t/∂gate for the gates that have a slot; ``c`` is c_{t-1}."""
        return {"cell": gates["input"], "input": gates["cell"], "forget": c}

    def partials(
        self,
        slots: np.ndarray,
        gates: np.ndarray,
        previous: Mapping[str, np.ndarray],
        new: Mapping[str, np.ndarray],
        largest: float = np.inf,
    ) -> Partials | None:
        """Hand-derived for all functions; slopes are taken from the slots and not from the gates."""
        opened = dict(zip(self.gates, np.moveaxis(gates, 1, 0), strict=True))
        functions, names = self.functions, [slot.name for slot in self.wiring()]
        factors = self.writing(opened, previous["c"]) | {"output": functions["c"].function(new["c"])}
        into = pool.empty(slots.shape, slots.dtype)
        for k, name in enumerate(names):
            np.multiply(factors[name], functions[name].slope(slots[:, k]), out=into[:, k])
        shown = names.index("output") if "output" in names else len(names)
        parts = [("c", slice(0, shown), into[:, :shown])]
        if shown < len(names):
            parts.append(("h", slice(shown, shown + 1), into[:, shown:]))
        return Partials(
            parts,
            carry={("c", "c"): opened["forget"]},
            within={("h", "c"): opened["output"] * functions["c"].slope(new["c"])},
        )


class FourGates(LongMemory):
    """Base of those with all four blocks i, f, g, o and a bias for each."""

    forget_bias: float = bias_of(
        "forget",
        "Added to the forget gate's bias: larger keeps the cell longer (torch's two biases add up).",
    )
    input_bias: float = bias_of("input", "Added to the input gate's bias: larger writes more.")
    candidate_bias: float = candidate_bias()
    output_bias: float = output_bias()
    chrono: int = chrono_field("forget", "input")

    def bias_offsets(self) -> Mapping[int, float]:
        """The four bias fields, by torch's block order i, f, g, o."""
        return {0: self.input_bias, 1: self.forget_bias, 2: self.candidate_bias, 3: self.output_bias}

    def unit_biases(self, rng: np.random.Generator, hidden_size: int) -> Mapping[int, np.ndarray]:
        """Chrono initialisation: b_f = ln u and b_i = −b_f."""
        if not self.chrono:
            return {}
        drawn = draw_chrono(self.chrono, rng, hidden_size)
        return {0: -drawn, 1: drawn}
