"""One sentence for every figure and every curve."""

import re
import string

import pytest

from explorer import Experiment
from explorer.lessons.explanations import EXPLANATIONS, Explanation, explanation
from explorer.lessons.sentences import one_sentence

FIGURES = {
    "gradient",
    "spectrum",
    "ledger",
    "weight_gradient",
    "states",
    "gates",
    "eigenvalues",
    "activations",
    "held_gradient",
    "lanes",
    "lane_shares",
    "gate_maps",
    "gate_distribution",
    "directions",
    "forget_half_life",
    "unit",
    "compare_gradient",
    "unrolled",
    "small_states",
    "layer_grid",
    "v_shape",
    "module_map",
    "echo_distance",
    "memory_curve",
    "phase_diagram",
    "lyapunov_spectrum",
    "lyapunov_convergence",
    "lyapunov_fan",
    "mean_field_map",
    "correlation_map",
    "depth_scale",
    "chi_curve",
    "power_norms",
    "pseudospectrum",
    "tied_fan",
    "spread_growth",
    "layer_spectrum",
    "cobweb",
    "bifurcation",
    "phase_portrait",
    "orbit_gradient",
    "text_order",
    "text_confusions",
    "text_words",
    "text_words_shuffled",
    "cliff_landing",
    "cliff_surface",
    "cliff_path",
    "cliff_section",
    "clipped_vectors",
    "norm_histogram",
    "race",
    "race_gradients",
    "gradient_size",
    "training_movie",
    "movie_curve",
    "movie_eigenvalues",
    "movie_gates",
    "translation_loss",
    "length_accuracy",
    "search_tree",
    "found_sequences",
    "beam_widths",
    "hypotheses",
    "next_tokens",
    "sampled_texts",
    "sequence_frequencies",
    "bleu_parts",
    "score_table",
    "attention_map",
    "attention_weights",
    "annotation_reach",
    "gradient_distance",
    "hard_estimators",
    "objective_likelihood",
    "objective_label_smoothing",
    "objective_scheduled_sampling",
    "objective_expected_reward",
    "objective_sizes",
    "objective_right",
    "objective_arrival",
    "objective_baseline",
    "one_score",
    "score_context",
    "score_paths",
    "memory_story",
    "memory_accuracy",
    "sentence_gradient",
    "hop_gradient",
    "many_to_one",
    "one_to_many",
    "many_to_many",
    "encoder_decoder",
    "with_attention",
}
OF_NO_EXPERIMENT = {
    "mean_field_map", "correlation_map", "depth_scale", "chi_curve",
    "power_norms", "pseudospectrum", "tied_fan", "spread_growth", "layer_spectrum",
    "cobweb", "bifurcation", "phase_portrait", "orbit_gradient",
    "text_order", "text_confusions", "text_words", "text_words_shuffled",
    "cliff_landing", "cliff_surface", "cliff_path", "cliff_section", "clipped_vectors", "norm_histogram",
    "race", "race_gradients", "gradient_size", "translation_loss", "length_accuracy",
    "training_movie", "movie_curve", "movie_eigenvalues", "movie_gates",
    "search_tree", "found_sequences", "beam_widths", "hypotheses", "next_tokens", "sampled_texts",
    "sequence_frequencies", "bleu_parts", "score_table",
    "attention_map", "attention_weights", "annotation_reach", "gradient_distance", "hard_estimators",
    "objective_likelihood", "objective_label_smoothing", "objective_scheduled_sampling",
    "objective_expected_reward", "objective_sizes", "objective_right", "objective_arrival",
    "objective_baseline",
    "one_score", "score_context", "score_paths",
    "memory_story", "memory_accuracy", "sentence_gradient", "hop_gradient",
    "many_to_one", "one_to_many", "many_to_many", "encoder_decoder", "with_attention",
}  # fmt: skip


def test_every_figure_is_explained() -> None:
    assert set(EXPLANATIONS) == FIGURES


@pytest.mark.parametrize("text", EXPLANATIONS.values(), ids=list(EXPLANATIONS))
def test_texts_are_short_single_sentences(text: Explanation) -> None:
    for sentence in (text.explain, text.alt, *text.curves.values()):
        assert one_sentence(sentence) == sentence
        assert len(sentence) <= 220
    assert text.curves


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("name", EXPLANATIONS)
def test_alt_text_is_filled_in(name: str, cell: str) -> None:
    text = EXPLANATIONS[name]
    filled = text.alt_text(Experiment.model_validate({"cell": {"kind": cell}}))
    fields = {name for _, name, _, _ in string.Formatter().parse(text.alt) if name}
    assert bool(fields) == (name not in OF_NO_EXPERIMENT)
    assert not re.search(r"[{}]", filled)


def test_an_unknown_figure_is_named() -> None:
    with pytest.raises(KeyError, match="known are gradient"):
        explanation("pie")
    assert explanation("gates").title == EXPLANATIONS["gates"].title


def test_curves_of_cells_are_all_explained() -> None:
    from explorer.cells import CELLS

    gates = {gate for _, cell in CELLS.values() for gate in cell.gates}
    assert gates <= set(EXPLANATIONS["gates"].curves)
