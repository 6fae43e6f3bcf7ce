"""How many units let no gradient through: saturated activations, shut and open gates."""

from __future__ import annotations

import numpy as np

from explorer.cells import RNN
from explorer.trace import Trace

SHUT, OPEN = 0.05, 0.95
_CANDIDATES = ("cell", "new")  # recorded among the gates, but they are tanh


def saturated_share(trace: Trace) -> float:
    """Fraction of an RNN's units whose slope is below ``saturated_below`` (tanh: 0.1; ReLU, linear: none)."""
    cell = trace.experiment.cell
    if not isinstance(cell, RNN) or cell.activation != "tanh":
        return 0.0
    # 1 − φ² < ε is |φ| > √(1 − ε)
    limit = np.sqrt(1 - cell.function.saturated_below)
    return float((np.abs(trace.forward.states["h"][1:]) > limit).mean())


def gate_sentences(trace: Trace) -> list[str]:
    """For every sigmoid gate "forget gate: 3 % shut, 41 % open": values below 0.05 and above 0.95.

    Counted over all steps, samples and units; [] for a cell without gates.
    """
    said = []
    for k, name in enumerate(trace.experiment.cell.gates):
        if name not in _CANDIDATES:
            values = trace.forward.gates[:, k]
            shut, open_ = (100 * float(np.mean(part)) for part in (values < SHUT, values > OPEN))
            said.append(f"{name} gate: {shut:.0f} % shut, {open_:.0f} % open")
    return said


def slopes_all_one(trace: Trace) -> np.ndarray:
    """[T] True where every unit's slope is exactly 1 in every sample, so that the step is linear; RNN only.

    For ReLU all units positive, for tanh all pre-activations exactly 0. What ``theory.closed_form`` asks for.
    """
    cell, slots = trace.experiment.cell, trace.forward.slots
    if not isinstance(cell, RNN):
        return np.zeros(trace.num_steps, bool)
    if cell.activation == "linear":
        return np.ones(trace.num_steps, bool)
    ones = slots[:, 0] > 0 if cell.activation == "relu" else slots[:, 0] == 0
    return np.asarray(ones.all(axis=(1, 2)))
