"""The modules of a clockwork network one by one: when each is due, and the gradient of its units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.cells.clockwork import Clockwork
from explorer.experiment import Experiment
from explorer.measures.norms import log10_norms
from explorer.trace import Trace


@dataclass(frozen=True)
class Modules:
    """All modules that have units, the fastest first.

    Attributes:
        periods: after how many steps each is updated.
        active: [modules, T] True where it is due; column t−1 belongs to step t.
        norms: log10 ‖∂L/∂h of its units‖, [T+1, B] each; −inf where it is exactly 0.
    """

    periods: list[int]
    active: np.ndarray
    norms: list[np.ndarray]


def modules(trace: Trace) -> Modules:
    """Take a clockwork network apart; raises ValueError for any other cell."""
    cell = trace.experiment.cell
    if not isinstance(cell, Clockwork):
        raise ValueError(f"cell {cell.kind!r} has no modules; clockwork has")
    parts = cell.modules(trace.experiment.hidden_size)
    rows = [(k, period, part) for k, (period, part) in enumerate(parts.items()) if part.stop > part.start]
    gradient, exponents = trace.backward.totals["h"], trace.backward.exponents
    return Modules(
        [period for _, period, _ in rows],
        cell.activity(trace.num_steps)[[k for k, _, _ in rows]],
        [log10_norms(np.ascontiguousarray(gradient[:, part]), exponents) for _, _, part in rows],
    )


def empty_modules(experiment: Experiment) -> list[str]:
    """A sentence on the periods of a clockwork network that get no units; none where all of them do."""
    cell, size = experiment.cell, experiment.hidden_size
    parts = cell.modules(size) if isinstance(cell, Clockwork) else {}
    empty = [str(period) for period, part in parts.items() if part.stop == part.start]
    if not empty:
        return []
    several = f"modules of the periods {', '.join(empty)} have no units and do"
    said = several if len(empty) > 1 else f"module of period {empty[0]} has no unit and does"
    return [f"There are {size} units for {len(parts)} periods: the {said} nothing."]
