"""The phase diagram, tested by the numbers it draws."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.experiment import Experiment
from explorer.figures import (
    Axis,
    Quantity,
    Theory,
    phase_diagram,
    phase_diagram_alt,
    plot_phase_diagram,
    style,
)
from explorer.sweep import sweep

X = Axis("weight scale", np.array([0.0, 1.0, 2.0]))
Y = Axis("bias", np.array([-1.0, 1.0]))
VALUES = np.array([[-np.inf, -0.5, 0.02], [np.nan, 0.0, 0.1]])
SLOPE = Quantity("decades gained per step back", "decades per step", 0.01)


def test_colours_follow_asinh_and_hovering_shows_the_numbers() -> None:
    heat = phase_diagram(X, Y, VALUES, SLOPE)["data"][0]
    known = np.isfinite(VALUES)
    np.testing.assert_allclose(np.sinh(heat["z"][known]) * 0.01, VALUES[known], atol=1e-15)
    np.testing.assert_array_equal(heat["customdata"][known], VALUES[known])
    assert np.isnan(heat["z"][~known]).all()
    assert heat["zmin"] == -heat["zmax"] < np.nanmin(heat["z"])  # white is exactly at 0
    for place, text in zip(heat["colorbar"]["tickvals"], heat["colorbar"]["ticktext"], strict=True):
        assert np.sinh(place) * 0.01 == pytest.approx(float(text), abs=1e-12)


def test_what_is_never_negative_begins_at_0() -> None:
    heat = phase_diagram(X, Y, np.abs(VALUES), Quantity("saturated units", ""))["data"][0]
    assert heat["zmin"] == 0 and heat["zmax"] >= 0.5
    np.testing.assert_array_equal(heat["z"], np.where(np.isfinite(VALUES), np.abs(VALUES), np.nan))


def test_exact_zeros_are_marked_and_nothing_else() -> None:
    zeros = phase_diagram(X, Y, VALUES, SLOPE)["data"][1]
    assert (list(zeros["x"]), list(zeros["y"])) == ([0.0], [-1.0])
    assert "exactly 0" in phase_diagram(X, Y, VALUES, SLOPE)["layout"]["annotations"][0]["text"]


def test_the_critical_line_is_where_chi_is_1_and_its_band_has_the_tolerance() -> None:
    chi = np.array([[0.5, 1.0, 2.0], [0.5, 1.0, 2.0]])
    line, band = phase_diagram(X, Y, VALUES, SLOPE, Theory(chi, 0.12))["data"][2:]
    np.testing.assert_allclose(np.exp(line["z"]), chi)
    assert line["contours"]["start"] == line["contours"]["end"] == 0
    np.testing.assert_allclose(np.exp(band["contours"]["value"]), [1 / 1.12, 1.12])


def test_cells_reach_from_edge_to_edge_and_single_values_have_width() -> None:
    assert X.span == (-0.5, 2.5)
    assert Axis("x", np.array([4.0])).span == (3.5, 4.5)
    style.themed(phase_diagram(Axis("x", np.array([4.0])), Y, VALUES[:, :1], SLOPE), dark=True)


def test_the_sentence_names_both_ends() -> None:
    said = phase_diagram_alt(X, Y, VALUES, SLOPE)
    assert "-0.5 decades per step at weight scale 1 and bias -1" in said
    assert "0.1 decades per step at weight scale 2 and bias 1" in said
    assert "1 points are exactly 0" in said
    assert phase_diagram_alt(X, Y, np.full((2, 3), np.nan), SLOPE).endswith("nothing is computed yet.")


def test_a_sweep_is_drawn_with_its_names() -> None:
    over = {"cell.forget_bias": [0.0, 2.0], "weight_scale": [0.5, 1.0, 2.0]}
    found = sweep(Experiment(cell={"kind": "lstm"}, hidden_size=4, num_steps=8, batch_size=1), over)
    figure = plot_phase_diagram(found)
    np.testing.assert_array_equal(figure.data[0].customdata, found.to_numpy())
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("weight scale", "forget bias")
    with pytest.raises(ValueError, match="two settings"):
        plot_phase_diagram(found[0])
