"""Gradient norms over a whole range of one knob, all values side by side as columns of one matrix product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from explorer.engine.backward import Source, backward
from explorer.engine.forward import System, forward
from explorer.experiment import Experiment
from explorer.link import field_paths
from explorer.measures.norms import log10_norms
from explorer.trace import Trace, make_system, memory_needed, run
from explorer.weights import draw_weights

_COLUMNS = 512  # columns of one matrix product: more gains no speed
_MEMORY = 2.5e8  # bytes that one chunk may take


@dataclass(frozen=True)
class Sweep:
    """Gradient norms as a function of one setting.

    Attributes:
        knob: path of the setting, e.g. ``weight_scale`` or ``cell.forget_bias``.
        values: [G].
        norms: state → log10 ‖∂L/∂s_t‖, [G, T+1, B].
    """

    knob: str
    values: np.ndarray
    norms: dict[str, np.ndarray]


def knobs(experiment: Experiment) -> dict[str, tuple[float, float]]:
    """Settings that ``sweep`` accepts for this experiment, with their smallest and largest value."""
    found = {}
    for path, value, info in field_paths(experiment):
        scales = path in ("weight_scale", "input_scale", "bias_scale")
        if scales or (
            path.startswith("cell.") and path.endswith("bias") and _shifts(experiment, path, value)
        ):
            bounds = {type(item).__name__: item for item in info.metadata}
            found[path] = (float(bounds["Ge"].ge), float(bounds["Le"].le))
    return found


def _shifts(experiment: Experiment, path: str, value: float) -> bool:
    """Whether a bias shifts anything; that of a missing gate does not."""
    other = experiment.changed(path, 1.0 if value == 0 else 0.0)
    return other.cell.bias_offsets() != experiment.cell.bias_offsets()


def sweep(experiment: Experiment, knob: str, values: np.ndarray) -> Sweep:
    """``gradient_norms`` of ``experiment.changed(knob, value)`` for every value, in one batched computation.

    Everything random is the same for all values. Raises ValueError for a knob that cannot be batched and
    ``TooLarge`` as ``run`` does.
    """
    parts = list(sweep_chunks(run(experiment), knob, values))
    states = parts[0].norms
    return Sweep(
        knob,
        np.asarray(values, float),
        {s: np.concatenate([part.norms[s] for part in parts]) for s in states},
    )


def sweep_chunks(trace: Trace, knob: str, values: np.ndarray) -> Iterator[Sweep]:
    """As ``sweep``, chunk after chunk, for a trace at hand (its weights, inputs and readout are used)."""
    experiment, allowed = trace.experiment, knobs(trace.experiment)
    if knob not in allowed:
        raise ValueError(f"knob={knob!r} cannot be swept; allowed here are {', '.join(allowed)}")
    batch = experiment.batch_size
    per_column = memory_needed(experiment, columns=1)
    chunk = max(1, int(min(_COLUMNS, _MEMORY / per_column)) // batch)
    values = np.asarray(values, float)
    for start in range(0, len(values), chunk):
        part = values[start : start + chunk]
        system = _columns(trace, knob, part)
        record = forward(system)
        readout = np.repeat(trace.readout[:, None], batch * len(part), axis=1).astype(system.matrix.dtype)
        adjoints = backward(system, record, Source.of_loss(trace.loss_weights, readout))
        norms = {}
        for state, totals in adjoints.totals.items():
            flat = log10_norms(totals, adjoints.exponents)
            norms[state] = np.moveaxis(flat.reshape(len(flat), len(part), batch), 1, 0)
        yield Sweep(knob, part, norms)


def _columns(trace: Trace, knob: str, values: np.ndarray) -> System:
    """The trace's system with one column for each value and sample, values outermost.

    Either the recurrent matrix is proportional to the knob (a gain on h) or the drive's matrix is affine in
    it, M₀ + value · M₁, and the drive is repeated multiplied by the value.
    """
    system, experiment = trace.system, trace.experiment
    batch, dtype = experiment.batch_size, system.matrix.dtype
    copies = len(values)
    factor = np.repeat(values, batch).astype(dtype)
    initial = {name: np.tile(array, (1, copies)) for name, array in system.initial.items()}
    drive = np.tile(system.drive, (1, 1, copies))
    if knob == "weight_scale":
        unit = _matrices(trace, experiment.changed(knob, 1.0))
        return replace(unit, drive=drive, initial=initial, gain=factor)
    zero = _matrices(trace, experiment.changed(knob, 0.0))
    one = _matrices(trace, experiment.changed(knob, 1.0))
    slope = one.matrix - zero.matrix
    moving = np.flatnonzero(np.abs(slope).max(axis=0) > 0)
    matrix = np.concatenate([zero.matrix, slope[:, moving]], axis=1)
    drive = np.concatenate([drive, drive[:, moving - system.hidden_size] * factor], axis=1)
    return replace(zero, matrix=matrix, drive=drive, initial=initial)


def _matrices(trace: Trace, experiment: Experiment) -> System:
    """The system of the same run with other settings of the knob."""
    return make_system(experiment, draw_weights(experiment), trace.inputs, {})
