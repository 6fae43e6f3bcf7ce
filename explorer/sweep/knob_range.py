"""Gradient norms over a whole range of one knob: what a slider needs that is dragged in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.engine.backward import Source, backward
from explorer.engine.forward import forward
from explorer.experiment import Experiment
from explorer.measures.norms import log10_norms
from explorer.sweep.columns import Columns, knobs
from explorer.trace import Trace, memory_needed, run

_COLUMNS = 512  # columns of one matrix product: more gains no speed
_MEMORY = 2.5e8  # bytes that one chunk may take


@dataclass(frozen=True)
class KnobRange:
    """Gradient norms as a function of one setting.

    Attributes:
        knob: path of the setting, e.g. ``weight_scale`` or ``cell.forget_bias``.
        values: [G].
        norms: state → log10 ‖∂L/∂s_t‖, [G, T+1, B].
    """

    knob: str
    values: np.ndarray
    norms: dict[str, np.ndarray]


def knob_range(experiment: Experiment, knob: str, values: np.ndarray) -> KnobRange:
    """``gradient_norms`` of ``experiment.changed(knob, value)`` for every value, in one batched computation.

    Everything random is the same for all values. Raises ValueError for a knob that cannot be batched and
    ``TooLarge`` as ``run`` does.
    """
    parts = list(knob_range_chunks(run(experiment), knob, values))
    states = parts[0].norms
    return KnobRange(
        knob,
        np.asarray(values, float),
        {s: np.concatenate([part.norms[s] for part in parts]) for s in states},
    )


def knob_range_chunks(trace: Trace, knob: str, values: np.ndarray) -> Iterator[KnobRange]:
    """As ``knob_range``, chunk after chunk, for a trace at hand (its inputs and readout are used)."""
    experiment, allowed = trace.experiment, knobs(trace.experiment)
    if knob not in allowed:
        raise ValueError(f"knob={knob!r} cannot be swept; allowed here are {', '.join(allowed)}")
    batch = experiment.batch_size
    per_column = memory_needed(experiment, columns=1)
    chunk = max(1, int(min(_COLUMNS, _MEMORY / per_column)) // batch)
    values = np.asarray(values, float)
    columns = Columns(experiment, [knob], trace.inputs, trace.system.initial)
    for start in range(0, len(values), chunk):
        part = values[start : start + chunk]
        system = columns.system({knob: part})
        record = forward(system)
        readout = np.repeat(trace.readout[:, None], batch * len(part), axis=1).astype(system.matrix.dtype)
        adjoints = backward(system, record, Source.of_loss(trace.loss_weights, readout))
        norms = {}
        for state, totals in adjoints.totals.items():
            flat = log10_norms(totals, adjoints.exponents)
            norms[state] = np.moveaxis(flat.reshape(len(flat), len(part), batch), 1, 0)
        yield KnobRange(knob, part, norms)
