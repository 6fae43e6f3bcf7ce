"""The numbers that a preset predicts, each a function of a trace; medians over the samples of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from explorer.lessons.presets import Expectation, Preset
from explorer.measures import decades_lost, gradient_norms, weight_gradient_total
from explorer.measures.jacobian import largest_singular_values
from explorer.measures.lanes import lane_derivatives
from explorer.trace import Trace, run

Measure = Callable[[Trace], float]


def cell_decades_lost(trace: Trace) -> float:
    """log10 ‖∂L/∂c_T‖ − log10 ‖∂L/∂c_0‖ (total gradients)."""
    sizes = gradient_norms(trace, "c")
    return float(np.median(sizes[-1] - sizes[0]))


def cell_half_life(trace: Trace) -> float:
    """Steps in which ‖∂L/∂c‖ halves, on average over the run."""
    return trace.num_steps * math.log10(2) / cell_decades_lost(trace)


def gate_half_life(trace: Trace) -> float:
    """−ln 2 / mean ln f over all steps, samples and units."""
    slot = [slot.name for slot in trace.experiment.cell.wiring()].index("forget")
    return math.log(2) / float(np.logaddexp(0, -trace.forward.slots[:, slot]).mean())


def last_factor(trace: Trace) -> float:
    """‖∂L/∂h_{T-1}‖ / ‖∂L/∂h_T‖."""
    sizes = gradient_norms(trace)
    return float(np.median(10 ** (sizes[-2] - sizes[-1])))


def worst_deviation(trace: Trace) -> float:
    """Largest |log10 ‖∂L/∂h_t‖ − log10 ‖∂L/∂h_T‖| over all steps and samples."""
    sizes = gradient_norms(trace)
    return float(np.abs(sizes - sizes[-1]).max())


def spectral_radius(trace: Trace) -> float:
    """Largest |eigenvalue| of W_hh (cells with one block)."""
    return float(np.abs(np.linalg.eigvals(trace.weights["weight_hh"])).max())


def mean_gate(name: str) -> Measure:
    """Mean of a gate over all steps, samples and units."""
    return lambda trace: float(trace.gates[name].mean())


def largest_cell(trace: Trace) -> float:
    """Largest |c| over all steps, samples and units."""
    return float(np.abs(trace.states["c"]).max())


def forget_above_one(trace: Trace) -> float:
    """Share of the forget gates that exceed 1."""
    return float((trace.gates["forget"] > 1).mean())


def beyond_forget_gates(trace: Trace) -> float:
    """log10 of root mean squares over the units of sample 0: ∂c_T/∂c_0 along the cell against Π f_t."""
    lanes = lane_derivatives(trace)
    product = trace.gates["forget"][:, 0].prod(axis=0)
    return float(lanes.direct[0] - 0.5 * np.log10(np.square(product).mean())) if lanes else math.nan


def _jacobian_sizes(trace: Trace) -> np.ndarray:
    """log10 ‖∂h_T/∂h_t‖₂ for sample 0, [T+1]."""
    return largest_singular_values(trace, output="h")


def jacobian_decades_lost(trace: Trace) -> float:
    """−log10 ‖∂h_T/∂h_0‖₂."""
    return float(-_jacobian_sizes(trace)[0])


def jacobian_peak(trace: Trace) -> float:
    """Largest ‖∂h_T/∂h_t‖₂ over t."""
    return float(10 ** _jacobian_sizes(trace).max())


def jacobian_peak_lag(trace: Trace) -> float:
    """T − t at that peak."""
    return float(trace.num_steps - _jacobian_sizes(trace).argmax())


def jacobian_below_one_lag(trace: Trace) -> float:
    """The smallest lag from which on ‖∂h_T/∂h_t‖₂ < 1."""
    return float(trace.num_steps - np.flatnonzero(_jacobian_sizes(trace) >= 0).min() + 1)


def weight_gradient(trace: Trace) -> float:
    """‖∂L/∂W_hh‖, Frobenius norm of the sum over steps and samples."""
    return float(10 ** weight_gradient_total(trace))


MEASURES: dict[str, Measure] = {
    "decades_lost": decades_lost,
    "cell_decades_lost": cell_decades_lost,
    "cell_half_life": cell_half_life,
    "gate_half_life": gate_half_life,
    "last_factor": last_factor,
    "worst_deviation": worst_deviation,
    "spectral_radius": spectral_radius,
    "mean_update": mean_gate("update"),
    "mean_forget": mean_gate("forget"),
    "largest_cell": largest_cell,
    "forget_above_one": forget_above_one,
    "beyond_forget_gates": beyond_forget_gates,
    "jacobian_decades_lost": jacobian_decades_lost,
    "jacobian_peak": jacobian_peak,
    "jacobian_peak_lag": jacobian_peak_lag,
    "jacobian_below_one_lag": jacobian_below_one_lag,
    "weight_gradient": weight_gradient,
}


def outcome(preset: Preset, expectation: Expectation) -> float:
    """The value that the expectation speaks of, from running its experiment."""
    measure = MEASURES[expectation.measure]
    value = measure(run(expectation.changed(preset.experiment)))
    return value - measure(run(preset.experiment)) if expectation.growth else value
