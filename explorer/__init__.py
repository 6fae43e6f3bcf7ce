"""Gradient dynamics in recurrent networks: experiment → run → trace → measure → figure."""

from __future__ import annotations

from explorer.experiment import Experiment
from explorer.figures import plot_gradient_norms
from explorer.measures import gradient_norms, weight_gradient_by_step
from explorer.measures.jacobian import jacobian_products, jacobian_singular_values
from explorer.measures.lyapunov import LyapunovSpectrum, lyapunov_exponents
from explorer.networks import NetworkTrace, run_network
from explorer.sweep import sweep, sweep_parts
from explorer.theory import MeanField, critical_line, mean_field
from explorer.trace import Trace, run
from explorer.training import Recipe, Training, load_weights, save_weights, train

__all__ = [
    "Experiment",
    "LyapunovSpectrum",
    "MeanField",
    "NetworkTrace",
    "Recipe",
    "Trace",
    "Training",
    "critical_line",
    "gradient_norms",
    "jacobian_products",
    "jacobian_singular_values",
    "load_weights",
    "lyapunov_exponents",
    "mean_field",
    "plot_gradient_norms",
    "run",
    "run_network",
    "save_weights",
    "sweep",
    "sweep_parts",
    "train",
    "weight_gradient_by_step",
]
