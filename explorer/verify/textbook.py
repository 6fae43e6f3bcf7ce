"""Which textbook equations a trace is compared with, and its weights and holds as torch takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from explorer.cells import Cell
from explorer.cells.cell import BIAS_HH, BIAS_IH, HIDDEN, INPUT, MESSAGE
from explorer.holds import parse_holds
from explorer.trace import Trace
from explorer.verify import textbook_cells, textbook_lstm
from explorer.verify.moment import MILD, Moment, Weights

# cell kind → one step, written without a look at the cell's ``core``
TEXTBOOKS: dict[str, Callable[[Any, Moment], None]] = {
    "rnn": textbook_cells.rnn,
    "lstm": textbook_lstm.lstm,
    "gru": textbook_cells.gru,
    "peephole": textbook_lstm.peephole,
    "coupled": textbook_lstm.coupled,
    "ablated": textbook_lstm.ablated,
    "mgu": textbook_cells.mgu,
    "residual": textbook_cells.residual,
    "antisymmetric": textbook_cells.antisymmetric,
    "clockwork": textbook_cells.clockwork,
    "echo": textbook_cells.echo,
}


def step(cell: Cell, now: Moment) -> Moment:
    """One step: ``now.new`` and ``now.leaves`` are filled."""
    TEXTBOOKS.get(cell.kind, own_core)(cell, now)
    return now


def own_core(cell: Cell, now: Moment) -> None:
    """A cell without a textbook by its own ``core``: checks engine and partials, but not the core itself."""
    import torch

    slots: dict[str, torch.Tensor] = {}
    for slot in cell.wiring():
        given = slot.reads & {INPUT, BIAS_IH}
        a = now.from_input(slot.block) if given else torch.zeros_like(now.old["h"])
        if MESSAGE in slot.reads:
            a = a + now.recurrent(slot.block, cell.message(slots, now.old, now))
        elif HIDDEN in slot.reads:
            a = a + now.recurrent(slot.block, now.old["h"])
        slots[slot.name] = a + now.bias(slot.block) if BIAS_HH in slot.reads else a
    now.kinks += [(a, 0.0) for a in slots.values()]  # nothing is known of its activations
    cell.core(slots, now.old, now)


def torch_weights(trace: Trace) -> Weights:
    """The run's weights, rounded as the run rounds them."""
    import torch

    record, dtype = trace.forward, np.dtype(trace.experiment.dtype)
    arrays = [record.slots, *record.states.values()]
    mild = all(array.max() < MILD and array.min() > -MILD for array in arrays)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    w_ih, w_hh, b_ih, b_hh = (
        torch.from_numpy(trace.weights[name].astype(dtype).astype(np.float64)) for name in names
    )
    return Weights(w_ih, w_hh, b_ih, b_hh, mild)


def held_gates(trace: Trace) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Gate → (where, value), both [T, H], read off the experiment's text a second time."""
    shape = trace.num_steps, trace.system.hidden_size
    dtype = trace.experiment.dtype
    held: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for hold in parse_holds(trace.experiment.hold):
        where, value = held.setdefault(hold.gate, (np.zeros(shape, bool), np.zeros(shape)))
        steps = slice(0 if hold.first is None else hold.first - 1, hold.last)
        units = slice(None) if hold.unit is None else slice(hold.unit, hold.unit + 1)
        where[steps, units], value[steps, units] = True, float(np.dtype(dtype).type(hold.value))
    return held
