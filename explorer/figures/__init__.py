"""Measures in, Plotly figures out: ``name`` gives a plain dict for the page, ``plot_name`` a go.Figure."""

from explorer.figures.activations import activations, activations_alt, plot_activations
from explorer.figures.directions import directions, directions_alt, plot_directions
from explorer.figures.eigenvalues import (
    EIGENVALUE_TRACES,
    eigenvalue_points,
    eigenvalues,
    eigenvalues_alt,
    plot_eigenvalues,
)
from explorer.figures.forget_half_life import forget_half_life, forget_half_life_alt, plot_forget_half_life
from explorer.figures.gate_distribution import (
    gate_distribution,
    gate_distribution_alt,
    plot_gate_distribution,
)
from explorer.figures.gate_maps import gate_maps, gate_maps_alt, plot_gate_maps
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
from explorer.figures.lanes import (
    lane_shares,
    lane_shares_alt,
    lanes,
    lanes_alt,
    plot_lane_shares,
    plot_lanes,
)
from explorer.figures.layer_grid import layer_grid, layer_grid_alt, layer_rows, plot_layer_grid
from explorer.figures.ledger import ledger, ledger_alt, plot_ledger
from explorer.figures.memory_curve import memory_curve, memory_curve_alt, plot_memory_curve
from explorer.figures.module_map import module_map, module_map_alt, plot_module_map
from explorer.figures.overlay import Curve, overlay, overlay_alt, plot_architectures
from explorer.figures.small_states import plot_small_states, small_states, small_states_alt
from explorer.figures.spectrum import plot_spectrum, spectrum, spectrum_alt
from explorer.figures.states import plot_states, states, states_alt, trace_states
from explorer.figures.style import message, themed
from explorer.figures.unit import plot_unit, unit, unit_alt
from explorer.figures.unrolled import plot_unrolled, unrolled, unrolled_alt
from explorer.figures.unrolled_arrows import Strand
from explorer.figures.v_shape import plot_v_shape, v_shape, v_shape_alt
from explorer.figures.weight_gradient import plot_weight_gradient, weight_gradient, weight_gradient_alt

__all__ = [
    "Curve",
    "EIGENVALUE_TRACES",
    "Ghost",
    "ScrubFrames",
    "Strand",
    "TRACES",
    "activations",
    "activations_alt",
    "caption",
    "directions",
    "directions_alt",
    "eigenvalue_points",
    "eigenvalues",
    "eigenvalues_alt",
    "forget_half_life",
    "forget_half_life_alt",
    "gate_distribution",
    "gate_distribution_alt",
    "gate_maps",
    "gate_maps_alt",
    "gates",
    "gates_alt",
    "gradient",
    "gradient_alt",
    "gradient_range",
    "lane_shares",
    "lane_shares_alt",
    "lanes",
    "lanes_alt",
    "layer_grid",
    "layer_grid_alt",
    "layer_rows",
    "ledger",
    "ledger_alt",
    "memory_curve",
    "memory_curve_alt",
    "message",
    "module_map",
    "module_map_alt",
    "overlay",
    "overlay_alt",
    "plot_activations",
    "plot_architectures",
    "plot_directions",
    "plot_eigenvalues",
    "plot_forget_half_life",
    "plot_gate_distribution",
    "plot_gate_maps",
    "plot_gates",
    "plot_gradient_norms",
    "plot_lane_shares",
    "plot_lanes",
    "plot_layer_grid",
    "plot_ledger",
    "plot_memory_curve",
    "plot_module_map",
    "plot_small_states",
    "plot_spectrum",
    "plot_states",
    "plot_unit",
    "plot_unrolled",
    "plot_v_shape",
    "plot_weight_gradient",
    "scrub_frames",
    "scrub_range",
    "small_states",
    "small_states_alt",
    "spectrum",
    "spectrum_alt",
    "states",
    "states_alt",
    "themed",
    "trace_states",
    "unit",
    "unit_alt",
    "unrolled",
    "unrolled_alt",
    "v_shape",
    "v_shape_alt",
    "weight_gradient",
    "weight_gradient_alt",
]
