"""Measures in, Plotly figures out: ``name`` gives a plain dict for the page, ``plot_name`` a go.Figure."""

from explorer.figures.activations import activations, activations_alt, plot_activations
from explorer.figures.eigenvalues import (
    EIGENVALUE_TRACES,
    eigenvalue_points,
    eigenvalues,
    eigenvalues_alt,
    plot_eigenvalues,
)
from explorer.figures.gates import gates, gates_alt, plot_gates
from explorer.figures.gradient import (
    TRACES,
    ScrubFrames,
    caption,
    gradient,
    gradient_alt,
    gradient_range,
    plot_gradient_norms,
    scrub_frames,
    scrub_range,
)
from explorer.figures.gradient_traces import Ghost
from explorer.figures.ledger import ledger, ledger_alt, plot_ledger
from explorer.figures.spectrum import plot_spectrum, spectrum, spectrum_alt
from explorer.figures.states import plot_states, states, states_alt, trace_states
from explorer.figures.style import message, themed
from explorer.figures.weight_gradient import plot_weight_gradient, weight_gradient, weight_gradient_alt

__all__ = [
    "EIGENVALUE_TRACES",
    "Ghost",
    "ScrubFrames",
    "TRACES",
    "activations",
    "activations_alt",
    "caption",
    "eigenvalue_points",
    "eigenvalues",
    "eigenvalues_alt",
    "gates",
    "gates_alt",
    "gradient",
    "gradient_alt",
    "gradient_range",
    "ledger",
    "ledger_alt",
    "message",
    "plot_activations",
    "plot_eigenvalues",
    "plot_gates",
    "plot_gradient_norms",
    "plot_ledger",
    "plot_spectrum",
    "plot_states",
    "plot_weight_gradient",
    "scrub_frames",
    "scrub_range",
    "spectrum",
    "spectrum_alt",
    "states",
    "states_alt",
    "themed",
    "trace_states",
    "weight_gradient",
    "weight_gradient_alt",
]
