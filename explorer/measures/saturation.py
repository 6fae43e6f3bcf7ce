"""How many units let no gradient through: saturated activations, shut and open gates."""

from __future__ import annotations

import numpy as np

from explorer.cells import RNN
from explorer.trace import Trace

SHUT, OPEN = 0.05, 0.95
_CANDIDATES = ("cell", "new")  # recorded among the gates, but they are what is written
_LARGE = 10.0  # |c| worth a sentence
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def saturated_share(trace: Trace) -> float:
    """Fraction of an RNN's units whose slope is below ``saturated_below`` (tanh: 0.1; ReLU, linear: none)."""
    cell = trace.experiment.cell
    if not isinstance(cell, RNN) or cell.activation != "tanh":
        return 0.0
    # 1 − φ² < ε is |φ| > √(1 − ε)
    limit = np.sqrt(1 - cell.function.saturated_below)
    return float((np.abs(trace.forward.states["h"][1:]) > limit).mean())


def gate_sentences(trace: Trace) -> list[str]:
    """For every gate "forget gate: 3 % shut, 41 % open": values below 0.05 and above 0.95.

    Counted over all steps, samples and units. A gate that always stands at one value (missing or held) and
    one that leaves [0, 1] (ReLU, tanh) are described as that; [] for a cell without gates.
    """
    said = []
    for k, name in enumerate(trace.experiment.cell.gates):
        if name in _CANDIDATES:
            continue
        values = _numbers(trace.forward.gates[:, k])
        low, high = float(values.min()), float(values.max())
        shut, open_ = (100 * float(np.mean(part)) for part in (values < SHUT, values > OPEN))
        if low == high:
            said.append(f"{name} gate: always {readable(low)}")
        elif low >= 0 and high <= 1:
            said.append(f"{name} gate: {shut:.0f} % shut, {open_:.0f} % open")
        else:
            said.append(f"{name} gate leaves [0, 1]: {_reach(values)}")
    return said


def leaving_sentence(trace: Trace) -> str:
    """'The forget gate leaves [0, 1]: up to 3.2; |c| reaches 4,310.'; "" where all gates stay within."""
    said = []
    for k, name in enumerate(trace.experiment.cell.gates):
        values = _numbers(trace.forward.gates[:, k])
        if name not in _CANDIDATES and not (values.min() >= 0 and values.max() <= 1):
            said.append((name, _reach(values)))
    if not said:
        return ""
    head, *rest = (f"the {name} gate" for name, _ in said)
    first, *others = (reach for _, reach in said)
    text = f"{head[0].upper()}{head[1:]} leaves [0, 1]: {first}"
    text += "".join(f", {name}: {reach}" for name, reach in zip(rest, others, strict=True))
    if "c" in trace.experiment.cell.states:
        largest = float(np.abs(_numbers(trace.forward.states["c"])).max())
        text += f"; |c| reaches {readable(largest)}" if largest >= _LARGE else ""
    return f"{text}."


def _numbers(values: np.ndarray) -> np.ndarray:
    """The values that are numbers; ½ if none is."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    return np.full(1, 0.5) if missing.all() else values[~missing]


def _reach(values: np.ndarray) -> str:
    """Where values outside [0, 1] lie: 'up to 3.2', 'down to −0.8' or '−0.8 to 3.2'."""
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        return f"up to {readable(high)}"
    return f"{readable(low)} to {readable(high)}" if high > 1 else f"down to {readable(low)}"


def readable(value: float) -> str:
    """A number with three digits as people write it: 0.37, −4,310, 2.1·10⁹, ∞ for what overflowed."""
    if not np.isfinite(value):
        return "−∞" if value < 0 else "∞"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        digits = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        return digits.replace("-", "−")
    exponent = int(np.floor(np.log10(abs(value))))
    power = str(exponent).translate(_SUPERSCRIPT)
    return f"{value / 10.0**exponent:.1f}·10{power}".replace("-", "−")


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
