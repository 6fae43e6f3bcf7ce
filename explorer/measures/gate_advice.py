"""What would make a gated cell keep its gradient, and the setting that it names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.activations import ACTIVATIONS, Activation
from explorer.cells import GRU, Cell
from explorer.cells.ablated import Ablated
from explorer.cells.long_memory import FourGates, LongMemory
from explorer.cells.mgu import MGU
from explorer.holds import parse_holds
from explorer.measures.decay import Account
from explorer.trace import Trace

Advice = tuple[str, dict[str, float | str]]  # the sentence; Experiment.changed path → value

_AWAY = 1000.0
KEEP = 2.0  # decades that a gate may cost over the whole sequence


@dataclass(frozen=True)
class Keeper:
    """The gate whose bias decides how much of the state is kept.

    Attributes:
        gate: its name.
        sign: +1 where a larger bias keeps more, −1 where it keeps less.
        bias: the present value of its bias field.
        function: its activation.
    """

    gate: str
    sign: int
    bias: float
    function: Activation

    def kept(self, bias: float) -> float:
        """What one step keeps when the gate stands at a bias, already multiplied by ``sign``."""
        a = np.array([self.sign * bias])
        return float((self.function.function(a) if self.sign > 0 else self.function.complement(a))[0])


def keeper(cell: Cell) -> Keeper | None:
    """The gate of forgetting, the GRU's update gate, with f = 1 − i the input gate; None where none is."""
    if isinstance(cell, GRU):
        sign = 1 if cell.update == "keeps" else -1
        return Keeper("update", sign, cell.update_bias, cell.functions["update"])
    if isinstance(cell, MGU):
        return Keeper("forget", -1, cell.forget_bias, ACTIVATIONS["sigmoid"])
    if not isinstance(cell, LongMemory) or (isinstance(cell, Ablated) and cell.missing == "forget"):
        return None
    gate = "forget" if isinstance(cell, FourGates) else "input"
    sign = 1 if gate == "forget" else -1
    return Keeper(gate, sign, float(getattr(cell, f"{gate}_bias")), cell.functions[gate])


def number(value: float) -> str:
    """A setting as the slider shows it: at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def cell_runs_away(trace: Trace) -> bool:
    """Whether |c| exceeds 1000 somewhere."""
    c = trace.forward.states.get("c")
    return c is not None and not np.abs(c).max() <= _AWAY


def against_unbounded_gate(trace: Trace) -> Advice | None:
    """Back to a gate that stays in [0, 1], where the keeping gate is none; None where it is one."""
    found = keeper(trace.experiment.cell)
    if found is None or found.function.is_share:
        return None
    low, high = found.function.range
    state = "state" if isinstance(trace.experiment.cell, GRU) else "cell"
    if low >= 0:
        fault = f"it exceeds 1 and the {state} grows without end"
    elif high <= 1:
        fault = f"it turns negative and the {state} changes its sign instead of fading"
    else:
        fault = f"it leaves [0, 1] on both sides and the {state} grows and changes its sign"
    return (
        f"Make the {found.gate} gate a sigmoid again: as {found.function.label} {fault}.",
        {f"cell.{found.gate}_activation": "sigmoid"},
    )


def for_gates(trace: Trace, sums: Account) -> Advice:
    """What would let a gated cell keep more, tried in this order: holds, activation, bias, weaker input."""
    found = keeper(trace.experiment.cell)
    if found is None:
        return _for_full_cell(trace)
    if any(hold.gate in (found.gate, "forget") for hold in parse_holds(trace.experiment.hold)):
        return f"Release the {found.gate} gate, or hold it where it keeps more.", {"hold": ""}
    other = against_unbounded_gate(trace)
    return other or _raise_bias(trace, found, sums) or _push_less(trace, found.gate)


def _raise_bias(trace: Trace, found: Keeper, sums: Account) -> Advice | None:
    """The smallest whole bias at which the gate alone costs at most two decades on the way."""
    present = found.sign * found.bias
    for bias in range(1, 11):
        kept = found.kept(bias)
        cost = abs(sums.steps * np.log10(kept))
        if bias <= present or cost > KEEP:
            continue
        change: dict[str, float | str] = {f"cell.{found.gate}_bias": float(found.sign * bias)}
        cell, also = trace.experiment.cell, ""
        if isinstance(cell, FourGates) and cell.input_bias > -bias and _would_grow(trace, bias, sums.steps):
            change["cell.input_bias"] = -float(bias)
            also = f" and the input bias to {-bias}, so that tanh c does not saturate"
        return (
            f"{'Raise' if found.sign > 0 else 'Lower'} the {found.gate} bias from {number(found.bias)} to "
            f"{number(found.sign * bias)}{also}: the {found.gate} gate alone then costs "
            f"{number(cost)} decades, {_half_life(kept)}.",
            change,
        )
    return None


def _half_life(kept: float) -> str:
    if kept == 1:
        return "because it keeps exactly all"
    life = float(np.log(2) / -np.log(kept))
    return f"with a half-life of {f'{life:.3g}' if life < 1000 else f'{life:.0f}'} steps"


def _would_grow(trace: Trace, bias: float, steps: int) -> bool:
    """Whether what the LSTM writes would add up to |c| > 1 in most units if the gate forgot less."""
    names = trace.experiment.cell.gates
    gates = trace.forward.gates
    written = (gates[:, names.index("cell")] * gates[:, names.index("input")]).mean(axis=0)
    memory = min(steps, 1 + np.exp(bias))
    return bool(np.median(np.abs(written)) * memory > 1)


def _for_full_cell(trace: Trace) -> Advice:
    """Nothing is forgotten, so what is written adds up and saturates the cell."""
    bias = float(getattr(trace.experiment.cell, "input_bias", 0.0))
    if bias > -10:
        target = max(-10.0, min(bias, 0.0) - 4)
        return (
            f"Lower the input bias from {number(bias)} to {number(target)}: the cell forgets nothing, and "
            "less written keeps tanh c from saturating.",
            {"cell.input_bias": target},
        )
    return _push_less(trace, "output")


def _push_less(trace: Trace, gate: str) -> Advice:
    label, setting = (
        ("input", "input_scale") if trace.experiment.input_scale > 0 else ("weight", "weight_scale")
    )
    value = float(getattr(trace.experiment, setting))
    return (
        f"Lower the {label} scale from {number(value)} to {number(value / 10)}: it pushes the {gate} gates "
        "away from their bias.",
        {setting: round(value / 10, 2)},
    )
