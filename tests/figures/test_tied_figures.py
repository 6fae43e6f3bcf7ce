"""Figures of tied and untied layers, tested by what they draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.ensembles.growth_laws import growth_law
from explorer.ensembles.layers import KINDS, LayerStack
from explorer.ensembles.products import gradient_fan, product_singular_values
from explorer.figures import style
from explorer.figures.kind_looks import THEORY, kind_look
from explorer.figures.layer_spectrum import layer_spectrum, layer_spectrum_alt, plot_layer_spectrum
from explorer.figures.spread_growth import plot_spread_growth, spread_growth, spread_growth_alt
from explorer.figures.tied_fan import plot_tied_fan, tied_fan, tied_fan_alt
from explorer.lessons.sentences import one_sentence

EXTREME = st.one_of(st.floats(-1500, 1500), st.sampled_from([-np.inf, np.inf, np.nan]))
LAYERS = np.arange(21.0)


def texts(figure):
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def named(figure, name):
    (trace,) = [trace for trace in figure["data"] if trace["name"] == name]
    return trace


def fans(count=3, rate=0.1):
    """Seeds with slopes around the rate."""
    return rate * LAYERS * np.linspace(0.5, 1.5, count)[:, None]


def no_infinity(figure):
    for trace in figure["data"]:
        assert not np.isinf(np.asarray(trace["y"], dtype=float)).any()


def test_kinds_look_alike_in_all_figures_and_differ_from_one_another():
    looks = [kind_look(kind) for kind in KINDS]
    assert len(set(looks)) == len({color for color, _ in looks}) == len(KINDS) <= len(style.LOOKS)
    for figure in (tied_fan({"residual": fans()}), spread_growth({"residual": LAYERS})):
        assert named(figure, "residual")["line"]["color"] == kind_look("residual")[0]


# ---- fan ----


def test_every_kind_has_a_panel_of_its_own_on_one_scale():
    figure = tied_fan({"recurrent": fans(), "independent": fans(5, -0.1)}, {"independent": -0.1 * LAYERS})
    median, seeds = named(figure, "untied"), named(figure, "seeds, untied")
    np.testing.assert_allclose(median["y"], -0.1 * LAYERS)
    assert len(seeds["y"]) == 5 * 22 and np.isnan(seeds["y"][21::22]).all()
    np.testing.assert_allclose(seeds["y"][:21], -0.05 * LAYERS)
    assert median["xaxis"] == seeds["xaxis"] == named(figure, "theory, untied")["xaxis"] == "x2"
    assert named(figure, "tied (RNN)")["xaxis"] == "x" and "yaxis" not in median
    domains = [figure["layout"][name]["domain"] for name in ("xaxis", "xaxis2")]
    assert domains[0][0] == 0 and domains[0][1] < domains[1][0] and domains[1][1] == pytest.approx(1)
    assert "tied (RNN)" in texts(figure)
    titles = [figure["layout"][name]["title"]["text"] for name in ("xaxis", "xaxis2")]
    assert titles == ["layers k", f"layers k<br>{THEORY}"], "what has a theory says so"
    unknown = tied_fan({"recurrent": fans()}, {"recurrent": np.full(21, np.nan)})
    assert THEORY not in unknown["layout"]["xaxis"]["title"]["text"]


def test_seeds_whose_gradient_is_exactly_zero_are_counted():
    dead = fans(4)
    dead[:2, 9:] = -np.inf
    figure = tied_fan({"independent": dead})
    no_infinity(figure)
    assert "2 of 4<br>exactly 0" in texts(figure)
    assert "exactly 0" in tied_fan_alt({"independent": dead})
    assert "exactly 0" not in texts(tied_fan({"independent": fans()}))


def test_fan_in_words():
    said = one_sentence(tied_fan_alt({"recurrent": fans(3, 0.1), "residual": fans(3, -1.0)}))
    assert "after 20 layers" in said
    assert "tied (RNN) 100 (from 10 to 1000)" in said and "residual 1.00·10⁻²⁰" in said


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([1, 2, 5]), st.lists(EXTREME, min_size=10, max_size=10))
def test_figures_survive_anything(count, numbers):
    kinds = list(KINDS)[:count]
    curves = {kind: np.roll(numbers, place).astype(float) for place, kind in enumerate(kinds)}
    rows = {kind: curve.reshape(2, 5) for kind, curve in curves.items()}
    for figure in (tied_fan(rows), spread_growth(curves), layer_spectrum(curves)):
        no_infinity(figure)
    for said in (tied_fan_alt(rows), spread_growth_alt(curves), layer_spectrum_alt(curves)):
        assert one_sentence(said)


@pytest.mark.parametrize("draw", [tied_fan, spread_growth, layer_spectrum])
def test_unknown_kinds_are_refused(draw):
    with pytest.raises(ValueError, match="'recursive' is not a kind; allowed are recurrent, independent"):
        draw({"recursive": fans()})
    with pytest.raises(ValueError, match="no kind to draw"):
        draw({})


# ---- spread ----


def test_spread_is_drawn_with_its_power_and_guides():
    figure = spread_growth({"recurrent": 0.04 * LAYERS, "independent": 0.04 * LAYERS**0.5})
    assert named(figure, "tied (RNN)")["x"][0] == 1, "k = 0 has no place on a logarithmic axis"
    np.testing.assert_allclose(named(figure, "tied (RNN)")["y"], 0.04 * LAYERS[1:])
    assert "tied (RNN): k<sup>1.0</sup>" in texts(figure) and "untied: k<sup>0.5</sup>" in texts(figure)
    np.testing.assert_allclose(named(figure, "guide ∝ √k")["y"], [0.04, 0.04 * 20**0.5])
    np.testing.assert_allclose(named(figure, "guide ∝ k")["y"], [0.04, 0.8])
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < np.log10(0.04) and high > np.log10(0.8)
    assert max(figure["layout"]["xaxis"]["tickvals"]) == 20


def test_a_curve_has_few_markers_on_it_and_one_on_every_lone_point():
    spread = 0.1 * LAYERS
    spread[[14, 16]] = np.nan  # 15 stands alone
    marks = named(spread_growth({"recurrent": spread}), "markers, tied (RNN)")
    assert marks["mode"] == "markers" and len(marks["x"]) < 9 and 15 in marks["x"]
    np.testing.assert_allclose(marks["y"], spread[marks["x"].astype(int)])


def test_no_spread_is_said_and_not_drawn():
    figure = spread_growth({"recurrent": 0 * LAYERS, "independent": 0.1 * LAYERS**0.5})
    assert np.isnan(named(figure, "tied (RNN)")["y"]).all()
    assert "no spread:<br>tied (RNN)" in texts(figure)
    both = spread_growth({"recurrent": 0 * LAYERS, "independent": 0 * LAYERS})
    assert "no spread in any kind" in texts(both)
    lone = spread_growth({"recurrent": np.full(21, np.nan), "independent": LAYERS})
    assert "fewer than two gradients:<br>tied (RNN)" in texts(lone)
    assert "tied (RNN) none" in one_sentence(spread_growth_alt({"recurrent": 0 * LAYERS}))
    assert THEORY not in texts(spread_growth({"recurrent": 0 * LAYERS}, {"recurrent": 0 * LAYERS}))


# ---- spectrum ----


def test_spectrum_is_sorted_over_the_share_and_counts_zeros():
    values = {"independent": np.array([-3.0, 1.0, -np.inf, np.nan]), "convolution": -np.arange(8.0)}
    figure = layer_spectrum(values)
    np.testing.assert_array_equal(named(figure, "untied")["y"], [1.0, -3.0, np.nan, np.nan])
    np.testing.assert_allclose(named(figure, "untied")["x"], [0.125, 0.375, 0.625, 0.875])
    assert "σ exactly 0:<br>untied 1 of 4<br>σ not known:<br>untied 1 of 4" in texts(figure)
    said = one_sentence(layer_spectrum_alt(values))
    assert "untied largest 10 and median exactly 0, 1 of 4 exactly 0" in said
    assert "1-D CNN largest 1 and median 1.00·10⁻⁴" in said


# ---- for notebooks ----


def test_plots_draw_what_was_computed():
    kinds = ("recurrent", "independent", "residual")
    stacks = [LayerStack(kind=kind, width=8, depth=30, count=4) for kind in kinds]
    drawn = [gradient_fan(stack) for stack in stacks]
    by_name = {trace.name: trace for trace in plot_tied_fan(drawn).data}
    np.testing.assert_allclose(by_name["untied"].y, np.median(drawn[1].log_norms, axis=0))
    np.testing.assert_allclose(by_name["theory, untied"].y, growth_law(stacks[1]).mean)
    by_name = {trace.name: trace for trace in plot_spread_growth(drawn, dark=True).data}
    np.testing.assert_allclose(by_name["tied (RNN)"].y, drawn[0].spread[1:])
    np.testing.assert_allclose(by_name["theory, residual"].y, growth_law(stacks[2]).spread[1:])
    by_name = {trace.name: trace for trace in plot_layer_spectrum(stacks).data}
    np.testing.assert_allclose(by_name["residual"].y, product_singular_values(stacks[2], [30])[0])
