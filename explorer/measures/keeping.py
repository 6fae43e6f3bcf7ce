"""How long the direct path keeps: its factors, the slot that sets them, and its half-life."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.activations import sigmoid
from explorer.cells.cell import Slot
from explorer.experiment import Experiment
from explorer.measures.lanes import keeping_factors, lane_state
from explorer.trace import Trace


@dataclass(frozen=True)
class Keeping:
    r"""The factors d of the direct path over all steps, samples and units.

    Attributes:
        state: the state that is kept, c or h.
        mean: their arithmetic mean.
        half_life: :math:`\ln 2 / {-\overline{\ln |d|}}` in steps, the mean taken over all factors that are
            not exactly 0; inf where none is below 1 on average, NaN without a factor above 0. A gate that
            stays at σ(b) gives the closed form ln 2 / −ln σ(b).
        cuts: the steps 1 … T at which the factors of all units and samples are exactly 0, ascending.
    """

    state: str
    mean: float
    half_life: float
    cuts: np.ndarray


def keeping(trace: Trace) -> Keeping | None:
    """See ``Keeping``; None for a cell without a direct path."""
    found = keeping_factors(trace)
    if found is None:
        return None
    state, factors = found
    sizes = np.abs(factors.astype(np.float64))
    alive = sizes[sizes > 0]
    rate = -float(np.log(alive).mean()) if alive.size else np.nan
    life = np.inf if rate <= 0 else float(np.log(2) / rate)
    cuts = np.flatnonzero((sizes == 0).all(axis=(1, 2))) + 1
    with np.errstate(over="ignore", invalid="ignore"):  # a gate without bounds may have overflowed
        return Keeping(state, float(factors.mean()), life, cuts)


def keeping_slot(trace: Trace) -> tuple[Slot, int] | None:
    """(slot, sign) with d = σ(sign · slot) at every step, found by comparing numbers; None where none fits.

    The LSTM's ``forget`` with +1; the GRU's ``update`` with +1 or, where 1 − z keeps, −1; with coupled gates
    ``input`` with −1. None with peepholes and with gates that are no logistic functions or held.
    """
    start, partials = next(trace.partial_blocks())
    name = lane_state(partials, trace.experiment.cell.states)
    if name is None:
        return None
    factors = partials.carry[name, name]
    slots = trace.forward.slots[start : start + len(factors)]
    near = 1e-4 if slots.dtype == np.float32 else 1e-9
    for k, slot in enumerate(trace.experiment.cell.wiring()):
        for sign in (1, -1):
            if np.allclose(factors, sigmoid(sign * slots[:, k]), rtol=near, atol=0):
                return slot, sign
    return None


def added_bias(experiment: Experiment, slot: Slot) -> float:
    """What the settings add to a slot's bias; with chrono initialisation the mean over the units."""
    cell = experiment.cell
    drawn = cell.unit_biases(experiment.rng("unit_biases"), experiment.hidden_size).get(slot.block)
    return cell.bias_offsets().get(slot.block, 0.0) + (0.0 if drawn is None else float(drawn.mean()))
