"""From an experiment to the arrays that the time loops take."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.cells.cell import Conditions
from explorer.engine.forward import System
from explorer.experiment import Experiment
from explorer.holds import hold_masks, parse_holds
from explorer.weights import Weights, finite_array, slot_matrices


def draw_readout(experiment: Experiment) -> np.ndarray:
    """v [H], a random direction of length 1."""
    v = experiment.rng("readout").standard_normal(experiment.hidden_size)
    return v / np.linalg.norm(v)


def initial_states(
    experiment: Experiment, given: Mapping[str, object] | None, stream: str = ""
) -> dict[str, np.ndarray]:
    """State name → [H, B], drawn or given as [B, H]; ``stream`` names a further set of random numbers.

    Raises ValueError that names an unknown state, or an array of another shape or with NaN or infinity.
    """
    shape = (experiment.batch_size, experiment.hidden_size)
    states = experiment.cell.states
    for name in given or {}:
        if name not in states:
            raise ValueError(f"initial_state[{name!r}] is unknown; this cell has {', '.join(states)}")
    if given is None and experiment.initial_scale == 0:
        return {name: np.zeros(shape).T for name in states}
    if given is None:
        draws = {name: experiment.rng(f"{stream}initial/{name}").standard_normal(shape) for name in states}
        return {name: experiment.initial_scale * draw.T for name, draw in draws.items()}
    reason = f"batch_size={shape[0]} and hidden_size={shape[1]}"
    return {
        name: finite_array(f"initial_state[{name!r}]", given[name], shape, reason).T
        if name in given
        else np.zeros(shape).T
        for name in states
    }


def make_system(
    experiment: Experiment, weights: Weights, x: np.ndarray, initial: Mapping[str, np.ndarray]
) -> System:
    """The matrices, the drive [T, I + 1, B] and the conditions of an experiment in its float type."""
    dtype = np.dtype(experiment.dtype)
    conditions, _ = make_conditions(experiment, weights)
    matrix, message_matrix = slot_matrices(experiment.cell, weights)
    drive = np.ones((x.shape[0], x.shape[2] + 1, x.shape[1]), dtype)
    drive[:, :-1] = np.moveaxis(x, 1, 2)
    return System(
        experiment.cell,
        matrix.astype(dtype),
        None if message_matrix is None else message_matrix.astype(dtype),
        drive,
        {name: np.ascontiguousarray(array, dtype) for name, array in initial.items()},
        conditions=conditions.astype(dtype),
    )


def make_conditions(experiment: Experiment, weights: Weights) -> tuple[Conditions, list[str]]:
    """Vectors and schedules of the cell and the held gates, with a sentence for every hold that misfits."""
    cell, size, steps = experiment.cell, experiment.hidden_size, experiment.num_steps
    vectors = {name: weights[name][None, :, None] for name in cell.vectors}
    vectors |= {name: rows[:, :, None] for name, rows in cell.schedule(size, steps).items()}
    if not experiment.hold:
        return Conditions(vectors), []
    held, notes = hold_masks(parse_holds(experiment.hold), cell.gates, steps, size)
    return Conditions(vectors, held), notes
