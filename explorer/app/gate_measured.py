"""What the gate laboratory draws of one experiment, as small arrays that can be kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.app import cache
from explorer.cells.cell import Slot
from explorer.experiment import Experiment
from explorer.measures import gradient_norms
from explorer.measures.gate_verdict import GateVerdict, gate_verdict
from explorer.measures.input_gradient import input_gradient_norms
from explorer.measures.keeping import Keeping, keeping, keeping_slot
from explorer.measures.lanes import LaneDerivatives, lane_derivatives, lane_shares


@dataclass(frozen=True)
class GatesMeasured:
    """Arrays behind the figures; all norms are log10, all but ``norms`` those of one sample.

    Attributes:
        norms: state → ‖∂L/∂s_t‖ [T+1, B].
        lanes: both lanes, None for a cell without a direct path.
        shares: lane → share of the gradient [T]; sizes: lane → length of that part [T].
        below: ‖∂L/∂x_t‖ [T].
        keeping: factors of the direct path over all samples, or None.
        keeping_slot: the slot that sets them and its sign, or None.
        verdict: the sentences.
    """

    norms: dict[str, np.ndarray]
    lanes: LaneDerivatives | None
    shares: dict[str, np.ndarray]
    sizes: dict[str, np.ndarray]
    below: np.ndarray
    keeping: Keeping | None
    keeping_slot: tuple[Slot, int] | None
    verdict: GateVerdict


def measure_gates(experiment: Experiment, sample: int) -> GatesMeasured:
    """All measures of the page; ``cache.kept`` keeps them."""
    trace = cache.trace_of(experiment)
    lanes, shares, kept = lane_derivatives(trace, sample), lane_shares(trace), keeping(trace)
    return GatesMeasured(
        norms={state: gradient_norms(trace, state) for state in experiment.cell.states},
        lanes=lanes,
        shares={name: values[:, sample] for name, values in shares.shares.items()},
        sizes={name: values[:, sample] for name, values in shares.norms.items()},
        below=input_gradient_norms(trace)[:, sample],
        keeping=kept,
        keeping_slot=keeping_slot(trace),
        verdict=gate_verdict(trace, lanes, shares, kept, sample),
    )
