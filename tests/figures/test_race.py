"""Learning curves and gradient sizes: the numbers drawn are those given, chance and clipping are there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.figures import Lap, gradient_size, gradient_size_alt, plot_race, race, race_alt, running_mean
from explorer.figures.style import LOOKS, WIDTH, Figure


def thick(figure: Figure) -> list[Figure]:
    return [one for one in figure["data"] if one.get("line", {}).get("width") == WIDTH]


@given(arrays(float, st.integers(0, 60), elements=st.floats(-5, 5)), st.integers(1, 20))
def test_running_mean_is_the_mean_of_the_last_values(values: np.ndarray, over: int) -> None:
    expected = [values[max(0, k - over + 1) : k + 1].mean() for k in range(len(values))]
    np.testing.assert_allclose(running_mean(values, over), expected, atol=1e-12)


def test_accuracy_is_drawn_as_it_is_and_a_loss_as_its_logarithm() -> None:
    values = np.linspace(0.5, 1, 40)
    laps = [Lap("one", values, 0), Lap("two", values[:7], 1)]
    linear = race(laps, 100, measure="accuracy", baseline=0.5)
    for curve, lap in zip(thick(linear), laps, strict=True):
        np.testing.assert_allclose(curve["y"], running_mean(lap.values))
        np.testing.assert_array_equal(curve["x"], np.arange(1, len(lap.values) + 1))
    logarithmic = race(laps, 100, measure="mean squared error", baseline=1 / 6, goal=0.01)
    np.testing.assert_allclose(thick(logarithmic)[0]["y"], np.log10(running_mean(values)))
    levels = [shape["y0"] for shape in logarithmic["layout"]["shapes"]]
    np.testing.assert_allclose(levels, np.log10([1 / 6, 0.01]))
    low, high = logarithmic["layout"]["yaxis"]["range"]
    assert low <= np.log10(0.5) and high >= 0


def test_racers_differ_in_colour_dash_and_marker() -> None:
    laps = [Lap(str(k), np.linspace(0, 1, 50), k) for k in range(6)]
    figure = race(laps, 50, measure="accuracy", baseline=0.1)
    looks = {(one["line"]["color"], one["line"]["dash"]) for one in thick(figure)}
    assert looks == {look[:2] for look in LOOKS[:6]}
    assert len({one["marker"]["symbol"] for one in figure["data"] if "marker" in one}) == 6


def test_before_the_first_step_there_is_chance_alone() -> None:
    laps = [Lap("one", np.zeros(0), 0)]
    figure = race(laps, 300, measure="accuracy", baseline=0.25)
    assert all(len(one["x"]) == 0 for one in figure["data"])
    assert figure["layout"]["shapes"][0]["y0"] == 0.25
    assert "No training step" in race_alt(laps, measure="accuracy", baseline=0.25)
    assert "not known yet" in gradient_size_alt(laps)


def test_a_long_run_is_thinned() -> None:
    figure = race([Lap("one", np.linspace(0, 1, 20_000), 0)], 20_000, measure="accuracy", baseline=0)
    assert len(thick(figure)[0]["x"]) <= 1500


def test_numbers_that_are_none_are_gaps() -> None:
    values = np.array([1.0, np.nan, 0.0, 10.0])
    figure = gradient_size([Lap("one", values, 0)], 4, clip_at=[1.0, None])
    np.testing.assert_array_equal(figure["data"][0]["y"], [0, np.nan, np.nan, 1])
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [0]
    assert "at most 10" in gradient_size_alt([Lap("one", values, 0)])


@pytest.mark.parametrize("dark", [False, True])
def test_plotly_takes_the_figure(dark: bool) -> None:
    laps = [Lap("one", np.linspace(1, 0.01, 30), 0)]
    figure = plot_race(laps, 30, measure="mean squared error", baseline=1 / 6, dark=dark)
    assert len(figure.data) == 3
    assert "one" in race_alt(laps, measure="mean squared error", baseline=1 / 6)
