"""How the LSTM and its siblings are written: each gate, each slope and each direct factor in LaTeX."""

from __future__ import annotations

from explorer.cells.ablated import Ablated
from explorer.cells.coupled import Coupled
from explorer.cells.long_memory import LongMemory
from explorer.cells.peephole import Peephole

LETTERS = {"input": "i", "forget": "f", "cell": "g", "output": "o"}


class Symbols:
    """The formulas of one cell, in the letters i, f, g, o of its gates.

    Attributes:
        slots: the slots that it has → their letters.
        peepholes: whether gates read the cell.
        direct: the letter of the factor on the lane from c to c: f, or d with peepholes.
    """

    def __init__(self, cell: LongMemory) -> None:
        self._cell, self._functions = cell, cell.functions
        present = {slot.name for slot in cell.wiring()}
        self.slots = {name: letter for name, letter in LETTERS.items() if name in present}
        self.peepholes = isinstance(cell, Peephole)
        self.direct = "d" if self.peepholes else "f"

    def argument(self, name: str) -> str:
        """What a gate's activation is applied to at step t."""
        a = f"a^{LETTERS[name]}_t"
        if not self.peepholes or name == "cell":
            return a
        seen = "c_t" if name == "output" else "c_{t-1}"
        return rf"{a} + p_{LETTERS[name]} \odot {seen}"

    def gate(self, name: str) -> str:
        """The equation of a gate at step t, for an ``aligned`` block without its ``&``."""
        letter = LETTERS[name]
        if isinstance(self._cell, Coupled) and name == "forget":
            return "f_t = 1 - i_t"
        if isinstance(self._cell, Ablated) and name == self._cell.missing:
            return f"{letter}_t = 1"
        return f"{letter}_t = {self._functions[name].latex.format(a=self.argument(name))}"

    def slope(self, name: str) -> str:
        """The slope of a gate's activation at step t, with the ⊙ before it; "" for the identity."""
        function, a = self._functions[name], self.argument(name)
        a = f"({a})" if "+" in a else a
        latex = function.slope_latex.format(a=a, y=f"{LETTERS[name]}_t")
        return "" if function.name == "linear" else rf" \odot {latex}"

    def shown(self) -> str:
        """φ(c_t)."""
        return self._functions["c"].latex.format(a="c_t")

    def shown_slope(self) -> str:
        """φ′(c_t) with the ⊙ before it; "" for the identity."""
        function = self._functions["c"]
        if function.name == "tanh":
            return r" \odot \bigl(1 - \tanh^2 c_t\bigr)"
        latex = function.slope_latex.format(a="c_t", y=self.shown())
        return "" if function.name == "linear" else rf" \odot {latex}"

    def through_h(self) -> str:
        """∂h_t/∂c_t."""
        plain = f"o_t{self.shown_slope()}"
        if not self.peepholes:
            return plain
        return rf"\bigl({plain} + p_o \odot {self.shown()}{self.slope('output')}\bigr)"

    def written(self, name: str) -> str:
        """∂c_t/∂gate, or ∂h_t/∂gate for the output gate."""
        if name == "input":
            return r"(g_t - c_{t-1})" if isinstance(self._cell, Coupled) else "g_t"
        return {"forget": "c_{t-1}", "cell": "i_t", "output": self.shown()}[name]

    def direct_equation(self) -> str:
        """What the direct factor is made of; "" where it is the forget gate itself."""
        if not self.peepholes:
            return ""
        return rf"d_t = f_t + p_f \odot c_{{t-1}}{self.slope('forget')} + p_i \odot g_t{self.slope('input')}"

    @property
    def standard_gates(self) -> bool:
        """Whether all gates that have an activation are logistic."""
        return all(self._functions[name].name == "sigmoid" for name in self.slots if name != "cell")

    def functions_text(self) -> str:
        """'input gate sigmoid, forget gate ReLU, …'."""
        return ", ".join(
            f"{name} gate {self._functions[name].label}" for name in self.slots if name != "cell"
        )
