"""Measures in, Plotly figures out: ``name`` gives a plain dict for the page, ``plot_name`` a go.Figure."""

from explorer.figures.activations import activations, activations_alt, plot_activations
from explorer.figures.bifurcation import bifurcation, bifurcation_alt, plot_bifurcation
from explorer.figures.chi_curve import chi_curve, chi_curve_alt, plot_chi_curve
from explorer.figures.cobweb import cobweb, cobweb_alt, plot_cobweb
from explorer.figures.correlation_map import correlation_map, correlation_map_alt, plot_correlation_map
from explorer.figures.depth_scale import depth_scale, depth_scale_alt, plot_depth_scale
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
from explorer.figures.layer_spectrum import layer_spectrum, layer_spectrum_alt, plot_layer_spectrum
from explorer.figures.ledger import ledger, ledger_alt, plot_ledger
from explorer.figures.lyapunov_convergence import (
    lyapunov_convergence,
    lyapunov_convergence_alt,
    plot_lyapunov_convergence,
)
from explorer.figures.lyapunov_fan import lyapunov_fan, lyapunov_fan_alt, plot_lyapunov_fan
from explorer.figures.lyapunov_spectrum import (
    lyapunov_spectrum,
    lyapunov_spectrum_alt,
    plot_lyapunov_spectrum,
)
from explorer.figures.mean_field_map import mean_field_map, mean_field_map_alt, plot_mean_field_map
from explorer.figures.memory_curve import memory_curve, memory_curve_alt, plot_memory_curve
from explorer.figures.module_map import module_map, module_map_alt, plot_module_map
from explorer.figures.orbit_gradient import orbit_gradient, orbit_gradient_alt, plot_orbit_gradient
from explorer.figures.overlay import Curve, overlay, overlay_alt, plot_architectures
from explorer.figures.phase_diagram import (
    QUANTITIES,
    Axis,
    Quantity,
    Theory,
    phase_diagram,
    phase_diagram_alt,
    plot_phase_diagram,
)
from explorer.figures.phase_portrait import phase_portrait, phase_portrait_alt, plot_phase_portrait
from explorer.figures.power_norms import plot_power_norms, power_norms, power_norms_alt
from explorer.figures.pseudospectrum import plot_pseudospectrum, pseudospectrum, pseudospectrum_alt
from explorer.figures.sigma_axis import sigma_end, sigma_grid
from explorer.figures.small_states import plot_small_states, small_states, small_states_alt
from explorer.figures.spectrum import plot_spectrum, spectrum, spectrum_alt
from explorer.figures.spread_growth import plot_spread_growth, spread_growth, spread_growth_alt
from explorer.figures.states import plot_states, states, states_alt, trace_states
from explorer.figures.style import message, themed
from explorer.figures.tied_fan import plot_tied_fan, tied_fan, tied_fan_alt
from explorer.figures.unit import plot_unit, unit, unit_alt
from explorer.figures.unrolled import plot_unrolled, unrolled, unrolled_alt
from explorer.figures.unrolled_arrows import Strand
from explorer.figures.v_shape import plot_v_shape, v_shape, v_shape_alt
from explorer.figures.weight_gradient import plot_weight_gradient, weight_gradient, weight_gradient_alt

__all__ = [
    "Axis",
    "Curve",
    "EIGENVALUE_TRACES",
    "Ghost",
    "QUANTITIES",
    "Quantity",
    "ScrubFrames",
    "Strand",
    "TRACES",
    "Theory",
    "activations",
    "activations_alt",
    "bifurcation",
    "bifurcation_alt",
    "caption",
    "chi_curve",
    "chi_curve_alt",
    "cobweb",
    "cobweb_alt",
    "correlation_map",
    "correlation_map_alt",
    "depth_scale",
    "depth_scale_alt",
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
    "layer_spectrum",
    "layer_spectrum_alt",
    "ledger",
    "ledger_alt",
    "lyapunov_convergence",
    "lyapunov_convergence_alt",
    "lyapunov_fan",
    "lyapunov_fan_alt",
    "lyapunov_spectrum",
    "lyapunov_spectrum_alt",
    "mean_field_map",
    "mean_field_map_alt",
    "memory_curve",
    "memory_curve_alt",
    "message",
    "module_map",
    "module_map_alt",
    "orbit_gradient",
    "orbit_gradient_alt",
    "overlay",
    "overlay_alt",
    "phase_diagram",
    "phase_diagram_alt",
    "phase_portrait",
    "phase_portrait_alt",
    "plot_activations",
    "plot_architectures",
    "plot_bifurcation",
    "plot_chi_curve",
    "plot_cobweb",
    "plot_correlation_map",
    "plot_depth_scale",
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
    "plot_layer_spectrum",
    "plot_ledger",
    "plot_lyapunov_convergence",
    "plot_lyapunov_fan",
    "plot_lyapunov_spectrum",
    "plot_mean_field_map",
    "plot_memory_curve",
    "plot_module_map",
    "plot_orbit_gradient",
    "plot_phase_diagram",
    "plot_phase_portrait",
    "plot_power_norms",
    "plot_pseudospectrum",
    "plot_small_states",
    "plot_spectrum",
    "plot_spread_growth",
    "plot_states",
    "plot_tied_fan",
    "plot_unit",
    "plot_unrolled",
    "plot_v_shape",
    "plot_weight_gradient",
    "power_norms",
    "power_norms_alt",
    "pseudospectrum",
    "pseudospectrum_alt",
    "scrub_frames",
    "scrub_range",
    "sigma_end",
    "sigma_grid",
    "small_states",
    "small_states_alt",
    "spectrum",
    "spectrum_alt",
    "spread_growth",
    "spread_growth_alt",
    "states",
    "states_alt",
    "themed",
    "tied_fan",
    "tied_fan_alt",
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
