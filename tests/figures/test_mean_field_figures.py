"""The figures of mean field, tested by what they draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.activations import ACTIVATIONS
from explorer.ensembles.signal_propagation import propagation_of
from explorer.figures.chi_curve import CHI_TRACES, chi_curve, chi_curve_alt, plot_chi_curve
from explorer.figures.correlation_map import correlation_map, correlation_map_alt, plot_correlation_map
from explorer.figures.depth_scale import DEPTH_TRACES, depth_scale, depth_scale_alt, plot_depth_scale
from explorer.figures.iterated_map import MAP_TRACES
from explorer.figures.mean_field_map import mean_field_map, mean_field_map_alt, plot_mean_field_map
from explorer.figures.sigma_axis import critical_marks, sigma_end, sigma_grid
from explorer.theory.mean_field import MeanField, chi_1, critical_line, mean_field, mean_field_curve

CHAOS = mean_field("tanh", sigma_w=1.5, sigma_b=0.3)
FIELDS = st.builds(
    mean_field,
    activation=st.sampled_from(list(ACTIVATIONS)),
    sigma_w=st.sampled_from([0.0, np.sqrt(2)]) | st.floats(0.05, 4),
    sigma_b=st.sampled_from([0.0, 0.3]),
)


def texts(figure: dict[str, Any]) -> str:
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def finite(figure: dict[str, Any]) -> None:
    for trace in figure["data"]:
        assert not np.isinf(np.asarray(trace["x"], float)).any()
        assert not np.isinf(np.asarray(trace["y"], float)).any()


# ---- maps ----


def test_the_length_map_shows_curve_staircase_fixed_point_and_measurements() -> None:
    lengths = propagation_of(CHAOS, width=64, depth=9, start_length=0.1).lengths
    figure = mean_field_map(CHAOS, lengths)
    curve, _, stairs, measured, fixed = figure["data"]
    np.testing.assert_allclose(curve["y"], CHAOS.next_length(curve["x"]))
    assert fixed["x"] == fixed["y"] == pytest.approx(CHAOS.q)
    np.testing.assert_array_equal(measured["x"], lengths[:, :-1].ravel())
    np.testing.assert_array_equal(measured["y"], lengths[:, 1:].ravel())
    corners = stairs["x"][1::2], stairs["y"][1::2]
    np.testing.assert_allclose(corners[1], CHAOS.next_length(corners[0]))
    np.testing.assert_array_equal(stairs["x"][2::2], stairs["y"][2::2])
    assert stairs["x"][0] == pytest.approx(0.1) and stairs["x"][-1] == pytest.approx(CHAOS.q, abs=1e-3)
    assert "q* = 0.961" in texts(figure) and "1/e in 1.2 layers" in texts(figure)
    assert [figure["data"][k]["name"] for k in MAP_TRACES.values()][1:] == list(MAP_TRACES)[1:]
    ends = lengths[:, -1]
    assert f"4 networks end at lengths from {ends.min():.3g} to {ends.max():.3g}" in mean_field_map_alt(
        CHAOS, lengths
    )


def test_lengths_without_a_fixed_point_are_named_and_kept_off_the_axis() -> None:
    grows, stays = mean_field("relu", sigma_w=2), mean_field("relu", sigma_w=np.sqrt(2))
    lengths = propagation_of(grows, width=32).lengths
    figure = mean_field_map(grows, lengths)
    high = figure["layout"]["xaxis"]["range"][1]
    assert "grows without end" in texts(figure) and "q*" not in texts(figure)
    assert np.isnan(figure["data"][MAP_TRACES["fixed point"]]["x"]).all()
    measured = figure["data"][MAP_TRACES["measured"]]
    assert 0 < len(measured["x"]) < lengths.size and max(measured["x"].max(), measured["y"].max()) <= high
    assert mean_field_map_alt(stays) == "Every length stays as it is."


def test_the_correlation_map_has_the_tangent_of_slope_chi() -> None:
    correlations = propagation_of(CHAOS, width=64, depth=9).correlations
    figure = correlation_map(CHAOS, correlations)
    curve, tangent = figure["data"][0], figure["data"][-1]
    np.testing.assert_allclose(curve["y"], CHAOS.next_correlation(curve["x"]))
    assert np.diff(tangent["y"]) / np.diff(tangent["x"]) == pytest.approx(CHAOS.chi)
    assert (tangent["x"][-1], tangent["y"][-1]) == (1, 1)
    assert "χ₁ = 1.06" in texts(figure) and "c* = 0.767" in texts(figure) and "chaos" in texts(figure)
    assert "4 networks end" in correlation_map_alt(CHAOS, correlations)


def test_the_fate_of_two_signals_is_said() -> None:
    ordered = mean_field("tanh", sigma_w=0.8, sigma_b=0.3)
    said = f"order: the difference falls to 1/e in {-1 / np.log(ordered.chi):.2g} layers"
    assert said in texts(correlation_map(ordered))
    assert "only slowly" in texts(correlation_map(mean_field("relu", sigma_w=2)))
    assert "slope at 1: 1" in texts(correlation_map(mean_field("relu", sigma_w=2)))
    assert "every correlation stays" in texts(correlation_map(mean_field("linear", sigma_w=2)))


def test_where_signals_fade_nothing_measured_is_set_against_the_limit() -> None:
    fades = mean_field("tanh", sigma_w=0.9)
    figure = correlation_map(fades, propagation_of(fades, width=16, depth=5).correlations)
    assert len(figure["data"][MAP_TRACES["measured"]]["x"]) == 0
    assert "measured" not in texts(figure) and "both fade to 0" in texts(figure)


def test_negative_correlations_widen_the_axis() -> None:
    for lowest, end in ((-0.4, -0.5), (-0.6, -1)):
        figure = correlation_map(CHAOS, np.array([[lowest, 0.0, 1 + 1e-15]]))
        assert figure["layout"]["xaxis"]["range"][0] < end < figure["data"][-1]["x"][0]
        np.testing.assert_array_equal(figure["data"][MAP_TRACES["measured"]]["x"], [lowest, 0.0])


# ---- over σ_w ----


def curve_of(field: MeanField[float], count: int = 24) -> tuple[MeanField[np.ndarray], float]:
    critical = float(critical_line(field.activation, field.sigma_b))
    grid = sigma_grid(0.05, sigma_end(field.sigma_w, critical), critical, count)
    return mean_field_curve(field.activation, sigma_w=grid, sigma_b=field.sigma_b), critical


def test_depth_scales_are_drawn_in_decades_with_their_pole() -> None:
    curve, critical = curve_of(CHAOS)
    figure = depth_scale(curve, CHAOS, critical)
    drawn = figure["data"][DEPTH_TRACES["correlation"]]["y"]
    np.testing.assert_allclose(10**drawn, curve.xi_c)
    np.testing.assert_allclose(10 ** figure["data"][DEPTH_TRACES["length"]]["y"], curve.xi_q)
    assert drawn.max() > 3, "the pole leaves the axis"
    now = figure["data"][DEPTH_TRACES["now"]]
    assert (now["x"][0], 10 ** now["y"][0]) == pytest.approx((1.5, CHAOS.xi_c))
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [critical]
    assert f"σ<sub>w</sub> = {critical:.3g}" in texts(figure) and "19.9 layers" in texts(figure)
    assert f"without limit at σ_w = {critical:.3g}" in depth_scale_alt(CHAOS, critical)


def test_depths_without_end_are_shaded_and_named() -> None:
    beyond = mean_field("relu", sigma_w=2, sigma_b=0.3)
    curve, critical = curve_of(beyond)
    figure = depth_scale(curve, beyond, critical)
    finite(figure)
    area = figure["layout"]["shapes"][0]
    assert area["type"] == "rect" and area["x0"] == pytest.approx(np.sqrt(2), abs=1e-3)
    assert "infinite" in texts(figure) and "ξ<sub>c</sub> = ∞" in texts(figure)


def test_the_chi_curve_has_its_band_and_its_measurements() -> None:
    curve, critical = curve_of(CHAOS)
    places, growth = np.array([0.5, 2.0]), np.array([[0.1, 0.2, 0.3], [1.2, 1.3, 1.4]])
    figure = chi_curve(curve.sigma_w, curve.chi, (1.5, CHAOS.chi), critical, 0.12, (places, growth))
    band, theory, measured, now = figure["data"]
    count = len(curve.sigma_w)
    np.testing.assert_allclose(band["y"][:count], 1.12 * curve.chi)
    np.testing.assert_allclose(band["y"][count:][::-1], 0.88 * curve.chi)
    np.testing.assert_array_equal(theory["y"], curve.chi)
    np.testing.assert_array_equal(measured["x"], [0.5, 0.5, 0.5, 2, 2, 2])
    np.testing.assert_array_equal(measured["y"], growth.ravel())
    assert now["y"][0] == CHAOS.chi and figure["data"][CHI_TRACES["now"]] is now
    assert "± 12 %" in texts(figure) and "χ₁ = 1.06" in texts(figure)
    assert "3 networks were measured at each of 2" in chi_curve_alt(
        (1.5, CHAOS.chi), critical, (places, growth)
    )


def test_the_grid_closes_in_on_the_critical_point() -> None:
    grid = sigma_grid(0.05, 3.0, 1.4)
    assert len(grid) == 60 and (np.diff(grid) >= 0).all() and (grid[0], grid[-1]) == (0.05, 3.0)
    assert np.abs(grid - 1.4).min() < 1e-4
    np.testing.assert_allclose(sigma_grid(0.05, 3.0), np.linspace(0.05, 3.0, 60))
    with pytest.raises(ValueError, match="0 ≤ low < high"):
        sigma_grid(2.0, 1.0)


def test_what_lies_beside_the_critical_line_is_said_where_there_is_room() -> None:
    assert critical_marks(np.nan, 0, 3) == ([], [])
    _, notes = critical_marks(0.3, 0, 3)
    assert [note["text"] for note in notes][1:] == ["exploding"]


# ---- all of them ----


@settings(max_examples=15)
@given(field=FIELDS)
def test_any_network_can_be_drawn(field: MeanField[float]) -> None:
    found = propagation_of(field, width=8, depth=6, seeds=range(2))
    curve, critical = curve_of(field, 12)
    chi = chi_1(field.activation, sigma_w=curve.sigma_w, sigma_b=field.sigma_b)
    for figure in (
        mean_field_map(field, found.lengths),
        correlation_map(field, found.correlations),
        depth_scale(curve, field, critical),
        chi_curve(curve.sigma_w, chi, (field.sigma_w, field.chi), critical, 0.06),
    ):
        finite(figure)
    for sentence in (
        mean_field_map_alt(field, found.lengths),
        correlation_map_alt(field, found.correlations),
        depth_scale_alt(field, critical),
        chi_curve_alt((field.sigma_w, field.chi), critical),
    ):
        assert sentence.endswith(".") and "nan" not in sentence


@pytest.mark.parametrize("dark", [False, True])
def test_plots_are_validated_figures(dark: bool) -> None:
    for plot in (plot_mean_field_map, plot_correlation_map, plot_chi_curve):
        assert plot(CHAOS, width=32, tied=True, dark=dark).data
    assert plot_depth_scale(CHAOS, dark=dark).layout.yaxis.ticktext[-1] == "1000"
