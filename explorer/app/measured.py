"""Everything that the figures of one experiment draw, as small arrays that can be kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.cells import RNN
from explorer.measures import (
    Ledger,
    Verdict,
    gradient_norms,
    ledger,
    slopes_all_one,
    verdict,
    weight_gradient_by_step,
    weight_gradient_total,
)
from explorer.measures.jacobian import jacobian_singular_values, log_spaced_steps
from explorer.theory import cell_path_reference, closed_form, gradient_bound
from explorer.trace import Trace

_SPECTRUM_WORK = 2e9  # H³ · T · states; about one and a half seconds


@dataclass(frozen=True)
class Measured:
    """Arrays behind the first figures; all norms are log10.

    Attributes:
        norms: state → ‖∂L/∂s_t‖ [T+1, B].
        bound: [T+1] or None; theory: the curve that theory predicts, [T+1], with its label, or None.
        ledger: slope, matrix and loss [T, B].
        verdict: the sentence.
    """

    norms: dict[str, np.ndarray]
    bound: np.ndarray | None
    theory: tuple[np.ndarray, str] | None
    ledger: Ledger
    verdict: Verdict


@dataclass(frozen=True)
class Spectra:
    """Arrays behind the figures that need matrices, not only vectors; all log10.

    Attributes:
        steps, spectrum: σ_i(∂h_T/∂h_t) [n, H] at the chosen steps [n], None for large networks; largest: σ₁,
            [T+1], NaN elsewhere.
        weight_parts: ‖∂L/∂W_hh from step t‖ [T]; weight_total: of their sum.
    """

    steps: np.ndarray
    spectrum: np.ndarray | None
    largest: np.ndarray
    weight_parts: np.ndarray
    weight_total: float


def measure(trace: Trace) -> Measured:
    """What the first picture shows of a trace."""
    entries = ledger(trace)
    return Measured(
        norms={state: gradient_norms(trace, state) for state in trace.experiment.cell.states},
        bound=_bound(trace),
        theory=_theory(trace),
        ledger=entries,
        verdict=verdict(trace, entries),
    )


def measure_spectra(trace: Trace, sample: int) -> Spectra:
    """What takes longer: the Jacobians of one sample and the gradient of the weights."""
    experiment = trace.experiment
    steps = log_spaced_steps(trace.num_steps, 20)
    spectrum = None
    largest = np.full(trace.num_steps + 1, np.nan)
    if experiment.hidden_size**3 * trace.num_steps * len(experiment.cell.states) <= _SPECTRUM_WORK:
        spectrum = jacobian_singular_values(trace, sample, steps, "h")
        largest[steps] = spectrum[:, 0]
    return Spectra(steps, spectrum, largest, weight_gradient_by_step(trace), weight_gradient_total(trace))


def _bound(trace: Trace) -> np.ndarray | None:
    """The bound of Pascanu et al.; those of gated cells are proven, but a hundred decades above the curve."""
    if not isinstance(trace.experiment.cell, RNN):
        return None
    return gradient_bound(trace.experiment, trace.weights, trace.loss_weights)


def _theory(trace: Trace) -> tuple[np.ndarray, str] | None:
    """The closed form where one exists; for an LSTM else what the forget bias alone would do."""
    experiment = trace.experiment
    exact = closed_form(
        experiment,
        trace.weights,
        trace.readout,
        trace.loss_weights,
        slope_one=slopes_all_one(trace) if isinstance(experiment.cell, RNN) else None,
    )
    if exact is not None:
        return exact.log10, "closed form"
    reference = cell_path_reference(experiment)
    return None if reference is None else (reference.log10, reference.label)
