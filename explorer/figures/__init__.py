"""Measures in, Plotly figures out: ``name`` gives a plain dict for the page, ``plot_name`` a go.Figure."""

from explorer.figures.activations import activations, activations_alt, plot_activations
from explorer.figures.attention_map import (
    annotation_reach,
    annotation_reach_alt,
    attention_map,
    attention_map_alt,
    attention_weights,
    attention_weights_alt,
    plot_annotation_reach,
    plot_attention_map,
    plot_attention_weights,
)
from explorer.figures.beam_widths import beam_widths, beam_widths_alt, plot_beam_widths
from explorer.figures.bifurcation import bifurcation, bifurcation_alt, plot_bifurcation
from explorer.figures.bleu_parts import bleu_parts, bleu_parts_alt, plot_bleu_parts
from explorer.figures.chi_curve import chi_curve, chi_curve_alt, plot_chi_curve
from explorer.figures.cliff_maps import (
    cliff_landing,
    cliff_landing_alt,
    cliff_path,
    cliff_path_alt,
    plot_cliff_landing,
    plot_cliff_path,
)
from explorer.figures.cliff_section import cliff_section, cliff_section_alt, plot_cliff_section
from explorer.figures.cliff_surface import cliff_surface, cliff_surface_alt, plot_cliff_surface
from explorer.figures.clipped_vectors import clipped_vectors, clipped_vectors_alt, plot_clipped_vectors
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
from explorer.figures.found_sequences import (
    Found,
    found_sequences,
    found_sequences_alt,
    hypotheses,
    hypotheses_alt,
    plot_found_sequences,
    plot_hypotheses,
)
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
from explorer.figures.gradient_distance import (
    gradient_distance,
    gradient_distance_alt,
    plot_gradient_distance,
)
from explorer.figures.gradient_traces import Ghost
from explorer.figures.hard_estimators import (
    hard_estimators,
    hard_estimators_alt,
    plot_hard_estimators,
)
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
from explorer.figures.length_accuracy import length_accuracy, length_accuracy_alt, plot_length_accuracy
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
from explorer.figures.memory_accuracy import memory_accuracy, memory_accuracy_alt, plot_memory_accuracy
from explorer.figures.memory_curve import memory_curve, memory_curve_alt, plot_memory_curve
from explorer.figures.memory_gradient import (
    hop_gradient,
    hop_gradient_alt,
    plot_hop_gradient,
    plot_sentence_gradient,
    sentence_gradient,
    sentence_gradient_alt,
)
from explorer.figures.memory_story import memory_story, memory_story_alt, plot_memory_story
from explorer.figures.module_map import module_map, module_map_alt, plot_module_map
from explorer.figures.movie_gates import movie_gates, movie_gates_alt, movie_gates_tracks, plot_movie_gates
from explorer.figures.movie_moments import (
    movie_curve,
    movie_curve_alt,
    movie_curve_tracks,
    movie_eigenvalues,
    movie_eigenvalues_alt,
    movie_eigenvalues_tracks,
    plot_movie_curve,
    plot_movie_eigenvalues,
)
from explorer.figures.next_tokens import next_tokens, next_tokens_alt, plot_next_tokens
from explorer.figures.norm_histogram import norm_histogram, norm_histogram_alt, plot_norm_histogram
from explorer.figures.objective_baseline import (
    baseline_marks,
    objective_baseline,
    objective_baseline_alt,
    plot_objective_baseline,
)
from explorer.figures.objective_logits import objective_logits, objective_logits_alt, plot_objective_logits
from explorer.figures.objective_right import objective_right, objective_right_alt, plot_objective_right
from explorer.figures.objective_sizes import objective_sizes, objective_sizes_alt, plot_objective_sizes
from explorer.figures.one_score import (
    one_score,
    one_score_alt,
    one_score_tracks,
    plot_one_score,
    plot_score_context,
    plot_score_paths,
    score_context,
    score_context_alt,
    score_context_tracks,
    score_paths,
    score_paths_alt,
    score_paths_tracks,
)
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
from explorer.figures.race import (
    Lap,
    gradient_size,
    gradient_size_alt,
    log_axis,
    plot_race,
    race,
    race_alt,
    running_mean,
)
from explorer.figures.sampled_texts import TextNumbers, plot_sampled_texts, sampled_texts, sampled_texts_alt
from explorer.figures.score_table import plot_score_table, score_table, score_table_alt
from explorer.figures.search_tree import plot_search_tree, search_tree, search_tree_alt, search_trees
from explorer.figures.sequence_frequencies import (
    plot_sequence_frequencies,
    sequence_frequencies,
    sequence_frequencies_alt,
)
from explorer.figures.sigma_axis import sigma_end, sigma_grid
from explorer.figures.small_states import plot_small_states, small_states, small_states_alt
from explorer.figures.spectrum import plot_spectrum, spectrum, spectrum_alt
from explorer.figures.spread_growth import plot_spread_growth, spread_growth, spread_growth_alt
from explorer.figures.states import plot_states, states, states_alt, trace_states
from explorer.figures.style import message, themed
from explorer.figures.text_confusions import plot_text_confusions, text_confusions, text_confusions_alt
from explorer.figures.text_order import plot_text_order, text_order, text_order_alt
from explorer.figures.text_words import plot_text_words, text_words, text_words_alt
from explorer.figures.tied_fan import plot_tied_fan, tied_fan, tied_fan_alt
from explorer.figures.training_movie import (
    Film,
    plot_training_movie,
    training_movie,
    training_movie_alt,
    training_movie_tracks,
)
from explorer.figures.unit import plot_unit, unit, unit_alt
from explorer.figures.unrolled import plot_unrolled, unrolled, unrolled_alt
from explorer.figures.unrolled_arrows import Strand
from explorer.figures.v_shape import plot_v_shape, v_shape, v_shape_alt
from explorer.figures.weight_gradient import plot_weight_gradient, weight_gradient, weight_gradient_alt
from explorer.figures.wiring import plot_wiring, wiring, wiring_alt, wiring_span

__all__ = [
    "Axis", "Curve", "EIGENVALUE_TRACES", "Film", "Found", "Ghost", "Lap", "QUANTITIES", "Quantity",
    "ScrubFrames", "Strand", "TRACES", "TextNumbers", "Theory", "activations", "activations_alt",
    "annotation_reach", "annotation_reach_alt", "attention_map", "attention_map_alt", "attention_weights",
    "attention_weights_alt", "baseline_marks", "beam_widths", "beam_widths_alt", "bifurcation",
    "bifurcation_alt", "bleu_parts", "bleu_parts_alt", "caption", "chi_curve", "chi_curve_alt",
    "cliff_landing", "cliff_landing_alt", "cliff_path", "cliff_path_alt", "cliff_section",
    "cliff_section_alt", "cliff_surface", "cliff_surface_alt", "clipped_vectors", "clipped_vectors_alt",
    "cobweb", "cobweb_alt", "correlation_map", "correlation_map_alt", "depth_scale", "depth_scale_alt",
    "directions", "directions_alt", "eigenvalue_points", "eigenvalues", "eigenvalues_alt",
    "forget_half_life", "forget_half_life_alt", "found_sequences", "found_sequences_alt",
    "gate_distribution", "gate_distribution_alt", "gate_maps", "gate_maps_alt", "gates", "gates_alt",
    "gradient", "gradient_alt", "gradient_distance", "gradient_distance_alt", "gradient_range",
    "gradient_size", "gradient_size_alt", "hard_estimators", "hard_estimators_alt", "hop_gradient",
    "hop_gradient_alt", "hypotheses", "hypotheses_alt", "lane_shares", "lane_shares_alt", "lanes",
    "lanes_alt", "layer_grid", "layer_grid_alt", "layer_rows", "layer_spectrum", "layer_spectrum_alt",
    "ledger", "ledger_alt", "length_accuracy", "length_accuracy_alt", "log_axis", "lyapunov_convergence",
    "lyapunov_convergence_alt", "lyapunov_fan", "lyapunov_fan_alt", "lyapunov_spectrum",
    "lyapunov_spectrum_alt", "mean_field_map", "mean_field_map_alt", "memory_accuracy",
    "memory_accuracy_alt", "memory_curve", "memory_curve_alt", "memory_story", "memory_story_alt",
    "message", "module_map", "module_map_alt", "movie_curve", "movie_curve_alt", "movie_curve_tracks",
    "movie_eigenvalues", "movie_eigenvalues_alt", "movie_eigenvalues_tracks", "movie_gates",
    "movie_gates_alt", "movie_gates_tracks", "next_tokens", "next_tokens_alt", "norm_histogram",
    "norm_histogram_alt", "objective_baseline", "objective_baseline_alt", "objective_logits",
    "objective_logits_alt", "objective_right", "objective_right_alt", "objective_sizes",
    "objective_sizes_alt", "one_score", "one_score_alt", "one_score_tracks", "orbit_gradient",
    "orbit_gradient_alt", "overlay", "overlay_alt", "phase_diagram", "phase_diagram_alt",
    "phase_portrait", "phase_portrait_alt", "plot_activations", "plot_annotation_reach",
    "plot_architectures", "plot_attention_map", "plot_attention_weights", "plot_beam_widths",
    "plot_bifurcation", "plot_bleu_parts", "plot_chi_curve", "plot_cliff_landing", "plot_cliff_path",
    "plot_cliff_section", "plot_cliff_surface", "plot_clipped_vectors", "plot_cobweb",
    "plot_correlation_map", "plot_depth_scale", "plot_directions", "plot_eigenvalues",
    "plot_forget_half_life", "plot_found_sequences", "plot_gate_distribution", "plot_gate_maps",
    "plot_gates", "plot_gradient_distance", "plot_gradient_norms", "plot_hard_estimators",
    "plot_hop_gradient", "plot_hypotheses", "plot_lane_shares", "plot_lanes", "plot_layer_grid",
    "plot_layer_spectrum", "plot_ledger", "plot_length_accuracy", "plot_lyapunov_convergence",
    "plot_lyapunov_fan", "plot_lyapunov_spectrum", "plot_mean_field_map", "plot_memory_accuracy",
    "plot_memory_curve", "plot_memory_story", "plot_module_map", "plot_movie_curve",
    "plot_movie_eigenvalues", "plot_movie_gates", "plot_next_tokens", "plot_norm_histogram",
    "plot_objective_baseline", "plot_objective_logits", "plot_objective_right", "plot_objective_sizes",
    "plot_one_score", "plot_orbit_gradient", "plot_phase_diagram", "plot_phase_portrait",
    "plot_power_norms", "plot_pseudospectrum", "plot_race", "plot_sampled_texts", "plot_score_context",
    "plot_score_paths", "plot_score_table", "plot_search_tree", "plot_sentence_gradient",
    "plot_sequence_frequencies", "plot_small_states", "plot_spectrum", "plot_spread_growth",
    "plot_states", "plot_text_confusions", "plot_text_order", "plot_text_words", "plot_tied_fan",
    "plot_training_movie", "plot_unit", "plot_unrolled", "plot_v_shape", "plot_weight_gradient",
    "plot_wiring", "power_norms", "power_norms_alt", "pseudospectrum", "pseudospectrum_alt", "race",
    "race_alt", "running_mean", "sampled_texts", "sampled_texts_alt", "score_context",
    "score_context_alt", "score_context_tracks", "score_paths", "score_paths_alt", "score_paths_tracks",
    "score_table", "score_table_alt", "scrub_frames", "scrub_range", "search_tree", "search_tree_alt",
    "search_trees", "sentence_gradient", "sentence_gradient_alt", "sequence_frequencies",
    "sequence_frequencies_alt", "sigma_end", "sigma_grid", "small_states", "small_states_alt", "spectrum",
    "spectrum_alt", "spread_growth", "spread_growth_alt", "states", "states_alt", "text_confusions",
    "text_confusions_alt", "text_order", "text_order_alt", "text_words", "text_words_alt", "themed",
    "tied_fan", "tied_fan_alt", "trace_states", "training_movie", "training_movie_alt",
    "training_movie_tracks", "unit", "unit_alt", "unrolled", "unrolled_alt", "v_shape", "v_shape_alt",
    "weight_gradient", "weight_gradient_alt", "wiring", "wiring_alt", "wiring_span",
]  # fmt: skip
