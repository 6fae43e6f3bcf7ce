"""What the comparison draws of one architecture, as small arrays that can be kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from explorer.app import cache
from explorer.experiment import Experiment
from explorer.figures.decades import quantiles
from explorer.figures.small_states import MAX_UNITS, top_states
from explorer.figures.state_colors import chosen_units
from explorer.figures.unrolled_arrows import Strand, strands_of
from explorer.layouts import Single
from explorer.lessons.architectures import run_architecture
from explorer.measures.architecture_table import (
    ArchitectureRun,
    Fate,
    SingleRun,
    fate,
    joint_norms,
    median_seconds,
    parameter_count,
)
from explorer.measures.modules import Modules, empty_modules, modules
from explorer.measures.reservoir import state_distances


@dataclass(frozen=True)
class Compared:
    """Arrays behind the figures of one architecture; all norms are log10, medians over the samples.

    Attributes:
        norms: ‖∂L/∂h_t‖ of all layers and directions together, [T+1].
        layers: the same of each, layers[l][d] [T+1].
        states: h_1 … h_T of one sample, [T, units]: some units of the top layer, those of both directions.
        size: how many units there are.
        loss_weights: [T+1].
        parameters: how many; fate: what becomes of ``norms``; notes: what the run has to say.
    """

    norms: np.ndarray
    layers: list[list[np.ndarray]]
    states: np.ndarray
    size: int
    loss_weights: np.ndarray
    parameters: int
    fate: Fate
    notes: list[str]


def compare(experiment: Experiment, sample: int) -> Compared:
    """The measures that the main figure, the table and the small ones need."""
    found = _run_of(experiment)
    norms, states = joint_norms(found), top_states(found, sample)
    size = states.shape[1]
    return Compared(
        _median(norms),
        [[_median(found.norms(k, d)) for d in range(found.directions)] for k in range(found.num_layers)],
        states[:, chosen_units(size, MAX_UNITS)],
        size,
        found.loss_weights,
        parameter_count(experiment),
        fate(norms, found.loss_weights),
        found.notes + empty_modules(experiment),
    )


def strands(experiment: Experiment) -> list[Strand]:
    """The rows of the drawing of the unrolled network, medians over the samples."""
    rows = strands_of(_run_of(experiment))
    return [
        replace(row, norms=row.reached, along=row.arrived, below=row.sent, past=row.skipped) for row in rows
    ]


def distances(experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Median log10 distances of two runs from different starts, driven and undriven, [T+1] each."""
    return _median(state_distances(experiment)), _median(state_distances(experiment, driven=False))


def clockwork(experiment: Experiment) -> Modules:
    """The modules of a clockwork network, medians over the samples."""
    found = modules(cache.trace_of(experiment))
    return replace(found, norms=[_median(norms) for norms in found.norms])


def seconds(experiment: Experiment) -> tuple[float, int]:
    """(median seconds of one run, how many were measured)."""
    return median_seconds(lambda: run_architecture(experiment))


def _median(decades: np.ndarray) -> np.ndarray:
    """Over the samples, [T+1]: all that is drawn, and small enough to be kept."""
    return quantiles(decades, (0.5,))[0]


def _run_of(experiment: Experiment) -> ArchitectureRun:
    """A run; the trace of a single cell is shared with the other pages."""
    if isinstance(experiment.network, Single):
        return SingleRun(cache.trace_of(experiment))
    return run_architecture(experiment)
