"""Figures of Lyapunov exponents, tested by the numbers that they draw."""

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import Experiment
from explorer.figures import style
from explorer.figures.lyapunov_convergence import (
    lyapunov_convergence,
    lyapunov_convergence_alt,
    plot_lyapunov_convergence,
)
from explorer.figures.lyapunov_fan import (
    LYAPUNOV_FAN_TRACES,
    lyapunov_fan,
    lyapunov_fan_alt,
    plot_lyapunov_fan,
)
from explorer.figures.lyapunov_spectrum import (
    LYAPUNOV_SPECTRUM_TRACES,
    lyapunov_spectrum,
    lyapunov_spectrum_alt,
    plot_lyapunov_spectrum,
)
from explorer.measures.lyapunov import lyapunov_exponents
from explorer.measures.lyapunov_fan import lyapunov_fan as fan_of

EXTREME = st.one_of(st.floats(-50, 50), st.sampled_from([-np.inf, np.nan]))
SMALL = Experiment(hidden_size=4, batch_size=2, signal={"kind": "sine"})


def texts(figure):
    return " | ".join(note["text"] for note in figure["layout"]["annotations"])


def no_infinity(figure):
    for trace in figure["data"]:
        assert not np.isinf(np.asarray(trace["y"], dtype=float)).any()
    for name in ("xaxis", "yaxis"):
        low, high = figure["layout"][name]["range"]
        assert np.isfinite([low, high]).all() and low < high


# ---- spectrum ----


def test_spectrum_draws_every_exponent_once():
    values = np.array([0.2, 0.05, 0.0, -0.4, -np.inf, np.nan])
    numbers = {"num_positive": 2, "kaplan_yorke": 3.625, "gradient_slope": 0.19}
    figure = lyapunov_spectrum(values, **numbers)
    growing, others, slope = (figure["data"][k] for k in LYAPUNOV_SPECTRUM_TRACES.values())
    np.testing.assert_array_equal(growing["y"][:2], [0.2, 0.05])
    assert np.isnan(growing["y"][2:]).all() and np.isnan(others["y"][:2]).all()
    np.testing.assert_array_equal(others["y"][2:4], [0.0, -0.4])
    assert np.isnan(others["y"][4:]).all(), "−∞ is named and not drawn"
    np.testing.assert_array_equal(growing["x"], np.arange(1, 7))
    assert slope["y"] == [0.19, 0.19]
    words = texts(figure)
    for part in (
        "= +0.200",
        "2 of 6 above 0",
        "dimension 3.62",
        "1 lost exactly (−∞)",
        "1 not known",
        "+0.190",
    ):
        assert part in words
    said = lyapunov_spectrum_alt(values, **numbers)
    assert "from +0.200 down to −0.400" in said and "1 lost exactly, 1 not known" in said
    assert figure["layout"]["yaxis"]["zeroline"]


def test_a_slope_of_minus_infinity_is_no_line():
    figure = lyapunov_spectrum(np.full(3, -np.inf), gradient_slope=-np.inf)
    assert np.isnan(figure["data"][LYAPUNOV_SPECTRUM_TRACES["gradient"]]["y"]).all()
    assert "slope" not in texts(figure) and "3 lost exactly (−∞)" in texts(figure)
    said = lyapunov_spectrum_alt(np.full(3, -np.inf), gradient_slope=-np.inf)
    assert "slope −∞" in said and "from −∞ nats" in said


def test_words_stand_where_the_points_are_not():
    falling = texts_of(lyapunov_spectrum(-(np.linspace(0, 1, 50) ** 2)))
    assert (falling["xanchor"], falling["yanchor"]) == ("left", "bottom")
    cut = np.append(-np.linspace(0, 1, 10), np.full(40, -np.inf))
    assert texts_of(lyapunov_spectrum(cut))["xanchor"] == "right"
    assert texts_of(lyapunov_spectrum(np.full(20, -0.5)))["yanchor"] == "middle"


def texts_of(figure):
    """The note with the numbers."""
    return next(note for note in figure["layout"]["annotations"] if "above 0" in note["text"])


@given(st.lists(EXTREME, min_size=1, max_size=12), EXTREME)
def test_spectrum_survives_anything(numbers, slope):
    values = np.array(numbers)
    figure = lyapunov_spectrum(values, gradient_slope=slope)
    no_infinity(figure)
    style.themed(figure)
    assert lyapunov_spectrum_alt(values, gradient_slope=slope).count(". ") == 0


# ---- convergence ----


def test_convergence_ends_at_the_exponents():
    found = lyapunov_exponents(SMALL, steps=100)
    figure = lyapunov_convergence(found.times, found.running, gradient_slope=found.gradient_slope, shown=2)
    by_name = {trace["name"]: trace for trace in figure["data"]}
    for k in (0, 1):
        np.testing.assert_array_equal(by_name[f"λ{'₁₂'[k]}"]["y"], found.running[:, k])
        assert by_name[f"λ{'₁₂'[k]}"]["y"][-1] == found.exponents[k]
    assert by_name["slope of ln‖gradient‖"]["y"] == [found.gradient_slope] * 2
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < found.exponents[1] and found.largest < high
    said = lyapunov_convergence_alt(found.times, found.running, gradient_slope=found.gradient_slope)
    assert f"{found.largest:+.3f}".replace("-", "−") in said and "after 100;" in said


def test_zero_is_on_the_axis_only_if_it_is_near():
    times, noise = np.arange(1, 41), np.linspace(0.1, 0, 40)[:, None]
    near, far = (
        lyapunov_convergence(times, level + noise)["layout"]["yaxis"]["range"] for level in (0.05, 5)
    )
    assert near[0] < 0 < near[1] and far[0] > 0


def test_what_is_lost_is_named():
    running = np.column_stack([np.full(10, 0.1), np.full(10, -np.inf)])
    figure = lyapunov_convergence(np.arange(1, 11), running)
    no_infinity(figure)
    assert "λ₂ −∞" in texts(figure)
    with pytest.raises(ValueError, match="shown is 5; allowed are 1 to 4"):
        lyapunov_convergence(np.arange(1, 11), running, shown=5)


# ---- fan ----


def test_fan_draws_seeds_median_theory_and_the_present_gain():
    gains = np.array([0.5, 1.0, 1.5])
    values = np.array([[-0.7, -0.6, -0.65], [-0.02, 0.0, 0.01], [0.1, -0.1, 0.05]])
    theory = np.array([-0.69, 0.0, 0.08])
    alone = np.array([[-0.6], [0.1], [0.2]])
    figure = lyapunov_fan(gains, values, theory=theory, undriven=alone, gain=1.25)
    seeds, ideal, without, median, present = (figure["data"][k] for k in LYAPUNOV_FAN_TRACES.values())
    np.testing.assert_array_equal(seeds["y"].reshape(3, 4)[:, :3], values.T)
    assert np.isnan(seeds["y"][3::4]).all() and np.isnan(seeds["x"][3::4]).all()
    np.testing.assert_array_equal(median["y"], [-0.65, 0.0, 0.05])
    np.testing.assert_array_equal(ideal["y"], theory)
    np.testing.assert_array_equal(without["y"], alone[:, 0])
    assert "without input" in texts(figure)
    assert "without input" not in texts(lyapunov_fan(gains, values))
    assert present["x"] == [1.25] and present["y"] == [pytest.approx(0.025)]
    assert figure["layout"]["shapes"][0]["x0"] == 1.25
    assert median["line"]["width"] > style.THIN > seeds["line"]["width"]
    said = lyapunov_fan_alt(gains, values, theory=theory, undriven=alone, gain=1.4)
    assert (
        "above 0 from gain 1.5 on" in said
        and "it is +0.050 and for N → ∞ +0.080, without input +0.200" in said
    )


def test_an_axis_that_would_begin_close_to_0_begins_there():
    values = np.zeros((2, 1))
    near, far = (lyapunov_fan(np.array([first, 4.0]), values)["layout"]["xaxis"] for first in (0.2, 1.0))
    assert near["range"] == [0, 4] and far["range"] == [1, 4]
    assert "1 seed" in texts(lyapunov_fan(np.array([0.2, 4.0]), values))


def test_fan_names_what_it_cannot_draw():
    gains = np.array([0.0, 1.0])
    figure = lyapunov_fan(gains, np.array([[-np.inf, -np.inf], [np.nan, -0.1]]))
    no_infinity(figure)
    assert "−∞, lost exactly, in 2 of 4 runs" in texts(figure) and "not a number in 1 of 4" in texts(figure)
    assert "nowhere above 0 (−∞ at gain 0" in lyapunov_fan_alt(gains, np.full((2, 2), -np.inf))


@given(st.lists(EXTREME, min_size=6, max_size=6), st.floats(0, 4))
def test_fan_survives_anything(numbers, gain):
    gains, values = np.array([0.0, 1.0, 2.0]), np.array(numbers).reshape(3, 2)
    no_infinity(lyapunov_fan(gains, values, theory=values[:, 0], gain=gain))
    assert lyapunov_fan_alt(gains, values, theory=values[:, 0], gain=gain).endswith(".")


# ---- notebooks ----


@pytest.mark.parametrize("dark", [False, True])
def test_plots_draw_the_measures(dark):
    spectrum = plot_lyapunov_spectrum(SMALL, steps=40, dark=dark)
    found = lyapunov_exponents(SMALL, steps=40)
    np.testing.assert_array_equal(spectrum.data[LYAPUNOV_SPECTRUM_TRACES["others"]].y, found.exponents)
    convergence = plot_lyapunov_convergence(SMALL, steps=40, shown=1, dark=dark)
    assert convergence.data[0].y[-1] == pytest.approx(found.largest, abs=0.1)
    fan = plot_lyapunov_fan(SMALL, [0.5, 1.0], seeds=2, dark=dark)
    drawn = np.reshape(fan.data[LYAPUNOV_FAN_TRACES["seeds"]].y, (2, 3))[:, :2]
    np.testing.assert_array_equal(drawn, fan_of(SMALL, [0.5, 1.0], range(2)).T)
    for figure in (spectrum, convergence, fan):
        assert isinstance(figure, go.Figure)
        assert "token:" not in figure.to_json()
