"""Gradient dynamics in recurrent networks: experiment → run → trace → measure → figure."""

from __future__ import annotations

from explorer.experiment import Experiment
from explorer.figures import plot_gradient_norms
from explorer.measures import gradient_norms, weight_gradient_by_step
from explorer.measures.jacobian import jacobian_products, jacobian_singular_values
from explorer.networks import NetworkTrace, run_network
from explorer.trace import Trace, run

__all__ = [
    "Experiment",
    "NetworkTrace",
    "Trace",
    "gradient_norms",
    "jacobian_products",
    "jacobian_singular_values",
    "plot_gradient_norms",
    "run",
    "run_network",
    "weight_gradient_by_step",
]
