"""Figures of non-normality and of small networks, tested by what they draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.activations import ACTIVATIONS
from explorer.figures.bifurcation import BIFURCATION_TRACES, bifurcation, bifurcation_alt, plot_bifurcation
from explorer.figures.cobweb import COBWEB_TRACES, cobweb, cobweb_alt, plot_cobweb
from explorer.figures.orbit_gradient import (
    ORBIT_TRACES,
    orbit_gradient,
    orbit_gradient_alt,
    plot_orbit_gradient,
)
from explorer.figures.phase_portrait import (
    PORTRAIT_TRACES,
    phase_portrait,
    phase_portrait_alt,
    plot_phase_portrait,
)
from explorer.figures.power_norms import POWER_TRACES, plot_power_norms, power_norms, power_norms_alt
from explorer.figures.pseudospectrum import (
    PSEUDOSPECTRUM_TRACES,
    plot_pseudospectrum,
    pseudospectrum,
    pseudospectrum_alt,
)
from explorer.theory import fixed_points as one
from explorer.theory import two_units as two
from explorer.theory.non_normality import TRANSIENT_EXAMPLE, non_normal_matrix, power_growth
from explorer.theory.pseudospectrum import pseudospectrum as measured


def texts(figure) -> str:
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def trace(figure, names, name):
    return figure["data"][names[name]]


# ---- powers ----


def test_power_norms_draws_the_norm_and_both_lines():
    growth = power_growth(TRANSIENT_EXAMPLE, 100)
    figure = power_norms(growth)
    np.testing.assert_array_equal(trace(figure, POWER_TRACES, "norm")["y"], growth.norms)
    radius, sigma = (
        trace(figure, POWER_TRACES, k)["y"] for k in ("spectral radius", "largest singular value")
    )
    np.testing.assert_allclose(radius, np.arange(101) * np.log10(0.9), atol=1e-12)
    assert sigma[1] == pytest.approx(growth.norms[1])
    peak = trace(figure, POWER_TRACES, "peak")
    assert peak["x"] == [9] and peak["y"] == growth.norms[9]
    assert "19.4 at k = 9" in texts(figure) and "below 1 from k = 55" in texts(figure)
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < radius[-1] and growth.norms.max() < high < sigma[-1]
    assert "rises to 19.4 at k = 9 and stays below 1 from k = 55 on" in power_norms_alt(growth)


def test_powers_that_never_grow_or_never_stop_say_so():
    calm = power_growth(0.5 * np.eye(3), 20)
    assert np.isnan(trace(power_norms(calm), POWER_TRACES, "peak")["y"]).all()
    assert "starts at 1 and is 9.54·10⁻⁷ at k = 20" in power_norms_alt(calm)
    wild = power_growth(2 * np.eye(3), 20)
    assert "at k = 20, still growing" in texts(power_norms(wild))
    assert "still growing at k = 20" in power_norms_alt(wild)


@pytest.mark.parametrize("matrix", [np.zeros((2, 2)), np.eye(4, k=1)], ids=["zero", "nilpotent"])
def test_powers_that_are_exactly_0_are_named_and_not_drawn(matrix):
    figure = power_norms(power_growth(matrix, 12))
    for drawn in figure["data"]:
        assert not np.isinf(drawn["y"]).any()
    assert "exactly 0" in texts(figure)


# ---- pseudospectrum ----


def test_pseudospectrum_draws_decades_on_equal_axes():
    found = measured(TRANSIENT_EXAMPLE, points=20)
    figure = pseudospectrum(found)
    contours = trace(figure, PSEUDOSPECTRUM_TRACES, "contours")
    np.testing.assert_allclose(contours["z"], np.log10(found.sigma_min))
    assert contours["contours"]["start"] < contours["contours"]["end"] == 0
    assert figure["layout"]["yaxis"]["scaleanchor"] == "x"
    np.testing.assert_array_equal(trace(figure, PSEUDOSPECTRUM_TRACES, "eigenvalues")["x"], [0.9, 0.9])
    assert "blank" not in texts(figure)
    assert f"a norm of at least {found.kreiss_bound:.3g}" in pseudospectrum_alt(found)


def test_what_is_below_rounding_is_blank_and_named():
    found = measured(non_normal_matrix(30, 0.9, 20), points=31)
    figure = pseudospectrum(found)
    z = trace(figure, PSEUDOSPECTRUM_TRACES, "contours")["z"]
    np.testing.assert_array_equal(np.isnan(z), found.sigma_min == 0)
    assert not np.isinf(z).any() and "blank: ε <" in texts(figure)


def test_pseudospectra_of_normal_and_of_unstable_matrices_in_words():
    assert "than a normal matrix allows" in pseudospectrum_alt(measured(0.9 * np.eye(3), points=9))
    assert "grow without bound" in pseudospectrum_alt(measured(1.1 * np.eye(3), points=9))


# ---- one unit ----


def test_cobweb_is_a_staircase_between_map_and_diagonal():
    states, points = one.orbit(1.5, start=0.1, steps=20)[0], one.fixed_points(1.5)
    figure = cobweb(1.5, 0.0, "tanh", states, points)
    path = trace(figure, COBWEB_TRACES, "cobweb")
    x, y = path["x"], path["y"]
    np.testing.assert_allclose(y[1::2], np.tanh(1.5 * x[1::2]), atol=1e-14)
    np.testing.assert_array_equal(x[::2], y[::2])
    np.testing.assert_array_equal(x[::2], states)
    np.testing.assert_allclose(trace(figure, COBWEB_TRACES, "stable")["x"], points.states[[0, 2]])
    assert trace(figure, COBWEB_TRACES, "unstable")["y"] == [0]
    assert texts(figure).count("× 0.394") == 2 and "× 1.5" in texts(figure)
    assert "h = 0.859 (stable, factor 0.394)" in cobweb_alt(points)


def test_cobweb_names_whole_intervals_and_no_fixed_point():
    everywhere, nowhere = one.fixed_points(1, 0, "relu"), one.fixed_points(2, 1, "relu")
    figure = cobweb(1, 0, "relu", np.array([0.5, 0.5]), everywhere)
    assert "every h on the diagonal is a fixed point" in texts(figure)
    assert cobweb_alt(nowhere) == "There is no fixed point."
    runaway = cobweb(2, 1, "relu", one.orbit(2, 1, 0.1, 2000, "relu")[0], nowhere)
    assert np.isfinite(trace(runaway, COBWEB_TRACES, "cobweb")["y"]).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("bias", [-0.4, 0.0])
def test_bifurcation_splits_every_curve_by_stability(name, bias):
    found, points = one.bifurcation(np.linspace(-3, 8, 81), bias, name), one.fixed_points(1.5, bias, name)
    figure = bifurcation(found, 1.5, points)
    drawn = np.zeros(len(found.weight), dtype=bool)
    for kind in ("stable", "unstable", "neutral"):
        states, factors = figure["data"][BIFURCATION_TRACES[kind] :][:2]
        own = one.kinds(found.growth) == kind
        np.testing.assert_array_equal(states["y"][own], found.state[own])
        np.testing.assert_array_equal(factors["y"][own], found.factor[own])
        assert factors["yaxis"] == "y2"
        drawn |= own
    np.testing.assert_array_equal(drawn, np.isfinite(found.weight))
    now = trace(figure, BIFURCATION_TRACES, "now")
    np.testing.assert_array_equal(now["y"], points.states[np.isfinite(points.states)])
    assert ("cycle of two" in texts(figure)) == np.isfinite(found.cycles.states).any()


def test_bifurcation_says_the_factors_of_the_present_weight():
    found = one.bifurcation(np.linspace(-3, 3, 61))
    said = bifurcation_alt(found, 2.0, one.fixed_points(2.0))
    assert said.startswith(
        "Weights from -3 to 3; fixed points at w = 2: one stable with factor 0.166 and one unst"
    )


# ---- two units ----


def test_phase_portrait_draws_all_trajectories_and_points():
    w = two.two_unit_matrix(1.5, 0)
    points, starts = two.two_unit_fixed_points(w), two.starts_around(6)
    states = two.trajectories(w, 0.0, starts, 9)[0]
    field = two.direction_field(w, 0.0, 7)
    figure = phase_portrait(points, states, field, chosen=2)
    np.testing.assert_array_equal(trace(figure, PORTRAIT_TRACES, "chosen")["x"], states[:, 2, 0])
    lines = trace(figure, PORTRAIT_TRACES, "trajectories")
    assert np.isnan(lines["y"]).sum() == 5
    np.testing.assert_array_equal(lines["x"][:10], states[:, 0, 0])
    marks = trace(figure, PORTRAIT_TRACES, "fixed points")
    assert len(marks["x"]) == 9 and marks["marker"]["symbol"].count("circle") == 4
    assert all(word in texts(figure) for word in ("stable", "saddle", "unstable", "one orbit"))
    assert phase_portrait_alt(points).startswith(
        "9 fixed points: stable node at (-0.859, -0.859) with spectral"
    )


@settings(max_examples=12, deadline=None)
@given(growth=st.floats(0, 4), rotation=st.floats(-4, 4), bias=st.floats(-2, 2))
def test_arrows_point_along_the_change_and_stay_in_their_cells(growth, rotation, bias):
    w = two.two_unit_matrix(growth, rotation)
    states, change = two.direction_field(w, bias, 6)
    points = two.two_unit_fixed_points(w, bias)
    arrows = trace(
        phase_portrait(points, np.zeros((2, 1, 2)), (states, change)), PORTRAIT_TRACES, "direction"
    )
    x, y = (np.asarray(arrows[name]).reshape(-1, 6) for name in "xy")
    shaft = np.stack([x[:, 1] - x[:, 0], y[:, 1] - y[:, 0]], axis=1)
    assert np.isnan(x[:, 5]).all()
    np.testing.assert_allclose(shaft[:, 0] * change[:, 1], shaft[:, 1] * change[:, 0], atol=1e-12)
    assert ((shaft * change).sum(axis=1) >= 0).all()
    assert np.linalg.norm(shaft, axis=1).max() < 0.4


def test_nowhere_to_go_draws_no_arrow():
    figure = phase_portrait(
        two.two_unit_fixed_points(np.eye(2)), np.zeros((2, 1, 2)), (np.zeros((4, 2)), np.zeros((4, 2)))
    )
    assert np.isnan(trace(figure, PORTRAIT_TRACES, "direction")["x"]).all()


def test_orbit_gradient_lies_beside_two_straight_lines():
    logs, factor = one.orbit(2.0, start=0.1, steps=30)[1], float(one.fixed_points(2.0).factors[2])
    figure = orbit_gradient(logs, 2.0, factor)
    np.testing.assert_array_equal(trace(figure, ORBIT_TRACES, "along the orbit")["y"], logs)
    slogan, line = (trace(figure, ORBIT_TRACES, k)["y"] for k in ("weights alone", "fixed point"))
    np.testing.assert_allclose(slogan, np.arange(31) * np.log10(2))
    np.testing.assert_allclose(np.diff(line), np.log10(0.166), atol=2e-3)
    assert np.diff(logs)[-1] == pytest.approx(np.diff(line)[-1], abs=1e-9)
    assert "factor is 0.166, the weights alone would give 2 a step" in orbit_gradient_alt(logs, 2.0, factor)


@pytest.mark.parametrize("radius", [0.5, 1.5])
def test_orbit_without_a_fixed_point_has_no_line_for_it(radius):
    figure = orbit_gradient(np.zeros(5), radius, None)
    assert len(figure["data"]) == 2 and "approaches no stable fixed point" in texts(figure)
    assert "no stable fixed point is approached" in orbit_gradient_alt(np.zeros(5), radius, None)


def test_exact_zeros_of_an_orbit_are_named():
    figure = orbit_gradient(np.array([0.0, -np.inf, -np.inf]), 0.0, 0.0)
    assert all(not np.isinf(drawn["y"]).any() for drawn in figure["data"])
    assert "exactly 0" in texts(figure)


# ---- notebooks ----


@pytest.mark.parametrize("dark", [False, True])
def test_all_can_be_plotted(dark):
    w = two.two_unit_matrix(3, 0.12)
    for figure in (
        plot_power_norms(TRANSIENT_EXAMPLE, dark=dark),
        plot_pseudospectrum(TRANSIENT_EXAMPLE, points=9, dark=dark),
        plot_cobweb(-2, 0.2, dark=dark),
        plot_bifurcation(1.0, 0.0, activation="relu", dark=dark),
        plot_phase_portrait(w, dark=dark),
        plot_orbit_gradient(w, dark=dark),
    ):
        assert figure.data and "token:" not in figure.to_json()
