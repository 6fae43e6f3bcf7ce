"""Figures of the page Attention, tested by what they draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.figures import style
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
from explorer.figures.gradient_distance import (
    KIND_LOOKS,
    gradient_distance,
    gradient_distance_alt,
    plot_gradient_distance,
)
from explorer.figures.hard_estimators import (
    bias_of,
    hard_estimators,
    hard_estimators_alt,
    plot_hard_estimators,
)
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
from explorer.figures.wiring import WIRING_TRACES, plot_wiring, wiring, wiring_alt, wiring_span
from explorer.lessons.sentences import one_sentence
from explorer.lessons.wirings import aligned_wiring, translator_wiring
from explorer.seq2seq import LETTERS, Seq2Seq, gradient_map, run_translator
from explorer.seq2seq.context import context_gradient
from explorer.seq2seq.hard_choice import exact_gradient, reinforce, straight_through
from explorer.seq2seq.reach import annotation_reach as measured_reach

SOURCE, TARGET = LETTERS.encode("gradient"), LETTERS.encode("flow")
ZERO = -np.inf


def texts(figure: dict[str, Any]) -> str:
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def named(figure: dict[str, Any], name: str) -> dict[str, Any]:
    (trace,) = [trace for trace in figure["data"] if trace.get("name") == name]
    return dict(trace)


# ---- maps ----


def test_the_map_has_the_first_decoder_step_at_the_top_and_frames_the_chosen_one() -> None:
    decades = np.arange(-12.0, 0).reshape(3, 4)
    figure = attention_map(decades, span=(-20.0, 0.0), marked=2)
    heat = named(figure, "gradient")
    np.testing.assert_array_equal(heat["z"], decades.astype(np.float32))
    assert (heat["zmin"], heat["zmax"]) == (-20, 0)
    assert heat["x"].tolist() == [1, 2, 3, 4] and heat["y"].tolist() == [1, 2, 3]
    assert figure["layout"]["yaxis"]["range"] == [3.5, 0.5]
    (frame,) = figure["layout"]["shapes"]
    assert (frame["y0"], frame["y1"], frame["x0"], frame["x1"]) == (1.5, 2.5, 0.5, 4.5)
    assert "exactly 0" not in texts(figure) and "with attention" in texts(figure)
    assert "without attention" in texts(attention_map(decades, off=True))
    assert attention_map_alt(decades, 2).endswith("reaches h1 with 1.00·10⁻⁸ and h4 with 1.00·10⁻⁵.")


@pytest.mark.parametrize("count", [1, 2, 8, 9, 13, 36, 38, 40])
def test_the_row_of_eos_has_its_name_and_room_for_it(count: int) -> None:
    for figure in (
        attention_map(np.zeros((count, 2)), eos=True),
        attention_weights(np.full((count, 2), 0.5), eos=True),
    ):
        axis = figure["layout"]["yaxis"]
        assert axis["tickvals"][-1] == count and axis["ticktext"][-1] == "‹eos›"
        assert axis["ticktext"][:-1] == [str(value) for value in axis["tickvals"][:-1]]
        assert (np.diff(axis["tickvals"])[-1:] >= count / 20).all()  # a label is as high as a row of 20
    assert "ticktext" not in attention_map(np.zeros((count, 2)))["layout"]["yaxis"]


def test_exact_zeros_have_a_colour_of_their_own_and_are_named() -> None:
    decades = np.array([[-1.0, ZERO], [ZERO, -2.0]])
    figure = attention_map(decades)
    assert np.isnan(named(figure, "gradient")["z"]).tolist() == [[False, True], [True, False]]
    assert (named(figure, "exactly 0")["z"] == 1).tolist() == [[False, True], [True, False]]
    assert "exactly 0" in texts(figure)
    assert "2 of 4 gradients are exactly 0" in attention_map_alt(decades, 1)
    assert attention_map_alt(np.full((2, 2), ZERO), 1) == "All gradients are exactly 0."
    assert one_sentence(attention_map_alt(np.array([[-1.0]]), 1))


def test_weights_are_drawn_from_zero_to_the_largest() -> None:
    weights = np.array([[0.25, 0.75], [0.4, 0.6]])
    heat = named(attention_weights(weights), "weight")
    assert (heat["zmin"], heat["zmax"]) == (0, 0.75)
    np.testing.assert_allclose(heat["z"], weights, rtol=1e-6)
    assert "encoder step 2 with a weight of 0.6;" in attention_weights_alt(weights, 2)


def test_reach_has_the_start_state_below_a_gap() -> None:
    figure = annotation_reach(np.array([[-1.0, ZERO], [-2.0, -1.0]]), np.array([ZERO, -3.0]))
    z = named(figure, "dependence")["z"]
    assert np.isnan(z).tolist() == [[False, True], [False, False], [True, True], [True, False]]
    assert (named(figure, "exactly 0")["z"] == 1).sum() == 2
    assert figure["layout"]["yaxis"]["ticktext"][-1] == "s₀"
    alt = annotation_reach_alt(np.array([[-1.0, ZERO], [-2.0, -1.0]]), np.array([ZERO, -3.0]))
    assert "the first on 1, and the start state on 1" in alt


def test_curves_stand_at_their_distance_and_name_exact_zeros() -> None:
    curves = {"none": np.array([-9.0, -6.0, ZERO]), "hard": np.array([-1.0, -2.0, -1.5])}
    figure = gradient_distance(curves, np.array([5, 4, 3]), step=3)
    none = named(figure, "none")
    assert none["x"].tolist() == [3, 4, 5]
    np.testing.assert_array_equal(none["y"], [np.nan, -6, -9])
    assert none["line"]["color"] == KIND_LOOKS["none"][0] != named(figure, "hard")["line"]["color"]
    assert "none: exactly 0 at 1 of 3" in texts(figure) and "hard: exactly" not in texts(figure)
    assert "L<sub>3</sub>" in figure["layout"]["xaxis"]["title"]["text"]
    alt = gradient_distance_alt(curves, np.array([5, 4, 3]))
    assert "none: exactly 0 at distance 3, 1.00·10⁻⁹ at distance 5" in alt and one_sentence(alt)
    everywhere = gradient_distance({"none": np.full(2, ZERO)}, np.array([1, 2]), step=1)
    assert "none: exactly 0 everywhere" in texts(everywhere)


# ---- one score ----


def test_bars_context_and_paths_show_the_look_and_tracks_move_them() -> None:
    rng = np.random.default_rng(0)
    scores, h, slopes = rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    found = context_gradient(scores, h, slopes)
    total = np.linalg.norm(found.total, 2, axis=(1, 2))
    bars = one_score(scores, found.weights, 2)
    lines = score_context(h, found.context, 2)
    paths = score_paths(found.weights, found.through_score_norms, total, 2)
    drawn = [
        (bars, one_score_tracks(scores[None], found.weights[None])),
        (lines, score_context_tracks(found.context[None])),
        (paths, score_paths_tracks(found.weights[None], found.through_score_norms[None], total[None])),
    ]
    for figure, tracks in drawn:  # a track's first row is what stands there now
        for trace, rows in tracks.items():
            np.testing.assert_array_equal(figure["data"][trace]["y"], rows[0])
    assert len(set(bars["data"][0]["marker"]["color"])) == 2
    assert bars["data"][0]["marker"]["color"][1] != bars["data"][0]["marker"]["color"][0]
    np.testing.assert_array_equal(named(lines, "h2")["y"], h[1])
    assert np.isnan(named(lines, "other h")["y"]).sum() == 4
    for said in (
        one_score_alt(scores, found.weights, 2),
        score_context_alt(h, found.context, 2),
        score_paths_alt(found.weights, found.through_score_norms, total, 2),
    ):
        assert one_sentence(said) == said and "nan" not in said


# ---- hard choices ----


def test_an_unbiased_estimator_is_called_so_and_a_biased_one_has_its_mark() -> None:
    rng = np.random.default_rng(1)
    scores, losses, slopes = rng.normal(size=6), rng.uniform(2, 4, 6), rng.normal(size=(6, 6))
    exact = exact_gradient(scores, losses)
    found = {"R": reinforce(scores, losses), "ST": straight_through(scores, slopes)}
    figure = hard_estimators(found, exact)
    bias = named(figure, "bias")["x"]
    assert np.isnan(bias[0]) and bias[1] == pytest.approx(
        np.log10(np.linalg.norm(found["ST"].mean - exact)), abs=1e-12
    )
    assert bias_of(found["R"], exact) == ZERO
    assert named(figure, "standard deviation")["x"][0] == pytest.approx(np.log10(found["R"].variance) / 2)
    assert texts(figure).count("no bias") == 1
    assert "R: standard deviation" in hard_estimators_alt(found, exact)
    alone = {"R": reinforce(np.zeros(1), np.ones(1))}  # one position: nothing is chosen
    assert one_sentence(hard_estimators_alt(alone, np.zeros(1))) and hard_estimators(alone, np.zeros(1))


# ---- wirings ----


def test_every_way_has_its_arrow() -> None:
    many = aligned_wiring("one_to_many", num_steps=4, hidden_size=4)
    figure = wiring(many)
    circles = {name: figure["data"][WIRING_TRACES[name]] for name in ("states", "inputs", "losses")}
    assert circles["states"]["text"] == ["h₁", "h₂", "h₃", "h₄"]
    assert circles["inputs"]["x"].tolist() == [0] and circles["losses"]["x"].tolist() == [0, 1, 2, 3]
    assert len(figure["layout"]["shapes"]) == len(figure["data"][0]["x"]) == 3 + 1 + 4
    assert "1 of 4 states read an input and 4 are read by a loss" in wiring_alt(many)


def test_looks_lead_from_the_decoder_above_to_the_encoder() -> None:
    found = translator_wiring(Seq2Seq(attention="hard", hidden_size=4), SOURCE[:3], TARGET[:2])
    for step in (1, 2, 3):
        figure = wiring(found, marked=step)
        heads = figure["data"][0]
        looks = [k for k, text in enumerate(heads["hovertext"]) if f"the look of s{'₁₂₃'[step - 1]}" in text]
        assert len(looks) == 3 and set(heads["x"][looks].tolist()) == {0, 1, 2}
        exact = [k for k in looks if heads["hovertext"][k].endswith("exactly 0")]
        assert len(exact) == 2  # each step reads one of three positions
        dotted = [shape for shape in figure["layout"]["shapes"] if shape["line"].get("dash") == "dot"]
        assert len(dotted) == 2
        hairs = [shape for shape in figure["layout"]["shapes"] if shape["line"]["width"] == 1]
        others = figure["data"][WIRING_TRACES["others"]]["hovertext"]
        assert len(hairs) == len(others) == 2 and not any(text.endswith("exactly 0") for text in others)
        assert f"looks of s{'₁₂₃'[step - 1]}" in texts(figure) and "others above 0" in texts(figure)
    assert wiring(found)["data"][0]["hovertext"] == heads["hovertext"]  # the last step, unless told
    y = figure["data"][WIRING_TRACES["states"]]["y"]
    assert (y[3:] > y[:3].max()).all()
    assert figure["data"][WIRING_TRACES["inputs"]]["text"] == ["x"] * 3 + ["y"] * 3
    assert "‹bos›" in texts(figure) and "‹eos›" in texts(figure)
    plain = Seq2Seq(attention="none", hidden_size=4, bos=False, eos=False)
    figure = wiring(translator_wiring(plain, SOURCE[:3], TARGET[:2]), key=False)
    assert figure["data"][WIRING_TRACES["inputs"]]["text"] == ["x"] * 3 + ["0", "y"]
    assert not figure["layout"]["annotations"] and len(figure["data"]) == 4


def test_wider_is_more_and_one_scale_holds_for_all() -> None:
    near, far = (aligned_wiring("many_to_one", num_steps=steps, hidden_size=8) for steps in (2, 6))
    span = wiring_span(near, far)
    assert span == wiring_span(far, near)
    widths = [shape["line"]["width"] for shape in wiring(far, span)["layout"]["shapes"]]
    assert widths == sorted(widths) and widths[0] < widths[-1]
    assert not wiring(far, key=False)["layout"]["annotations"]


# ---- notebooks ----


@pytest.mark.parametrize("dark", [False, True])
def test_all_plots_are_made_from_what_a_notebook_has(dark: bool) -> None:
    trace = run_translator(Seq2Seq(hidden_size=4), SOURCE, TARGET)
    plain = run_translator(Seq2Seq(hidden_size=4, attention="none"), SOURCE, TARGET)
    h = np.eye(3)
    look = context_gradient(np.zeros(3), h, h)
    choices = {"R": reinforce(np.zeros(3), np.arange(3.0))}
    drawn = [
        plot_attention_map(trace, dark=dark),
        plot_attention_weights(trace, dark=dark),
        plot_annotation_reach(measured_reach(trace.settings, SOURCE), dark=dark),
        plot_gradient_distance({"none": plain, "additive": trace}, 2, dark=dark),
        plot_one_score(np.arange(3), dark=dark),
        plot_score_context(look, h, dark=dark),
        plot_score_paths(look, dark=dark),
        plot_hard_estimators(choices, exact_gradient(np.zeros(3), np.arange(3.0)), dark=dark),
        plot_wiring(aligned_wiring("many_to_one", num_steps=3, hidden_size=4), dark=dark),
    ]
    for figure in drawn:
        assert figure.layout.paper_bgcolor is None and figure.data
        assert figure.layout.template.layout.paper_bgcolor == style.THEMES[dark]["background"]
    np.testing.assert_allclose(drawn[0].data[0].z, gradient_map(trace), rtol=1e-5)
    row = gradient_map(plain)[1]
    np.testing.assert_allclose(drawn[3].data[0].y, row[::-1])
    with pytest.raises(ValueError, match="attention is 'none'"):
        plot_attention_weights(plain)
