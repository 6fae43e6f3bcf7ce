"""The LSTM and its relatives a second time, in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.cells import Cell
from explorer.verify.moment import Moment

if TYPE_CHECKING:
    import torch


def _gate(cell: Cell, name: str, a: torch.Tensor, now: Moment) -> torch.Tensor:
    """φ(a) with the activation that the cell's field names, logistic unless it says so, or what is held."""
    return now.gate(name, now.apply(getattr(cell, f"{name}_activation", "sigmoid"), a))


def _candidate(cell: Cell, a: torch.Tensor, now: Moment) -> torch.Tensor:
    return now.gate("cell", now.apply(getattr(cell, "candidate_activation", "tanh"), a))


def _shown(cell: Cell, c: torch.Tensor, now: Moment) -> torch.Tensor:
    return now.apply(getattr(cell, "cell_activation", "tanh"), c)


def lstm(cell: Cell, now: Moment) -> None:
    """``torch.nn.LSTMCell`` with its rows i, f, g, o."""
    a_i, a_f, a_g, a_o = now.slots()
    i, f, o = (_gate(cell, name, a, now) for name, a in (("input", a_i), ("forget", a_f), ("output", a_o)))
    c = now.state("c", f * now.old["c"] + i * _candidate(cell, a_g, now))
    now.state("h", o * _shown(cell, c, now))


def peephole(cell: Cell, now: Moment) -> None:
    """Gers & Schmidhuber (2000): i and f see the old cell, o sees the new one."""
    a_i, a_f, a_g, a_o = now.slots()
    old = now.old["c"]
    i = _gate(cell, "input", a_i + now.vector("peephole_input") * old, now)
    f = _gate(cell, "forget", a_f + now.vector("peephole_forget") * old, now)
    c = now.state("c", f * old + i * _candidate(cell, a_g, now))
    o = _gate(cell, "output", a_o + now.vector("peephole_output") * c, now)
    now.state("h", o * _shown(cell, c, now))


def coupled(cell: Cell, now: Moment) -> None:
    """f = 1 − i; the rows are i, g, o."""
    a_i, a_g, a_o = now.slots()
    i, o = _gate(cell, "input", a_i, now), _gate(cell, "output", a_o, now)
    rest = now.one_minus(getattr(cell, "input_activation", "sigmoid"), a_i)
    f = now.gate("forget", now.complement("input", i, rest))
    c = now.state("c", f * now.old["c"] + i * _candidate(cell, a_g, now))
    now.state("h", o * _shown(cell, c, now))


def ablated(cell: Cell, now: Moment) -> None:
    """Greff et al. (2017): one gate is 1, or one of the two tanh is the identity."""
    without = getattr(cell, "without", "")
    gates = {}
    for name, a in zip(("input", "forget", "cell", "output"), now.slots(), strict=True):
        if name == "cell":
            gates[name] = now.gate(name, a if without == "input_activation" else now.tanh(a))
        else:
            open_ = a.new_ones(a.shape)
            gates[name] = now.gate(name, open_ if without == f"{name}_gate" else now.sigmoid(a))
    c = now.state("c", gates["forget"] * now.old["c"] + gates["input"] * gates["cell"])
    now.state("h", gates["output"] * (c if without == "output_activation" else now.tanh(c)))
