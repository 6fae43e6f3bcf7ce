"""What the gate laboratory draws of one experiment, as small arrays that can be kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.app import cache
from explorer.cells.cell import Slot
from explorer.experiment import Experiment
from explorer.measures.gate_verdict import GateVerdict, gate_verdict
from explorer.measures.input_gradient import input_gradient_norms
from explorer.measures.keeping import Keeping, keeping, keeping_slot
from explorer.measures.lanes import LaneDerivatives, lane_derivatives, lane_shares


@dataclass(frozen=True)
class GatesMeasured:
    """Arrays behind what follows the first figures; all norms are log10 and those of one sample.

    Attributes:
        shares: lane → share of the gradient [T]; sizes: lane → length of that part [T].
        below: ‖∂L/∂x_t‖ [T].
        keeping: factors of the direct path over all samples, or None.
        keeping_slot: the slot that sets them and its sign, or None.
        verdict: the sentences.
    """

    shares: dict[str, np.ndarray]
    sizes: dict[str, np.ndarray]
    below: np.ndarray
    keeping: Keeping | None
    keeping_slot: tuple[Slot, int] | None
    verdict: GateVerdict


def lanes_of(experiment: Experiment, sample: int) -> LaneDerivatives | None:
    """Both lanes of one sample; None for a cell without a direct path."""
    return cache.kept(experiment, _lanes, sample)


def _lanes(experiment: Experiment, sample: int) -> LaneDerivatives | None:
    return lane_derivatives(cache.trace_of(experiment), sample)


def gates_of(experiment: Experiment, sample: int) -> GatesMeasured:
    """All other measures of the page."""
    return cache.kept(experiment, _measured, sample)


def _measured(experiment: Experiment, sample: int) -> GatesMeasured:
    trace, lanes = cache.trace_of(experiment), lanes_of(experiment, sample)
    shares, kept = lane_shares(trace), keeping(trace)
    return GatesMeasured(
        shares={name: values[:, sample] for name, values in shares.shares.items()},
        sizes={name: values[:, sample] for name, values in shares.norms.items()},
        below=input_gradient_norms(trace)[:, sample],
        keeping=kept,
        keeping_slot=keeping_slot(trace),
        verdict=gate_verdict(trace, lanes, shares, kept, sample),
    )
