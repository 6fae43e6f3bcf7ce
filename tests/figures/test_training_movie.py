"""The figures of the section Gradient movie: numbers, marks that move, zeros and what is no number."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import figures
from explorer.figures.training_movie import Film
from explorer.tasks import TASKS
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer
from explorer.training.training import Training

RECORDED = np.array([0, 10, 20, 25])


def film(**changes) -> Film:
    """Four rows of six time steps; the second has an exact zero, the third no numbers at two steps."""
    decades = -np.arange(24.0).reshape(4, 6)
    decades[1, 2] = -np.inf
    decades[2, 3:5] = np.nan, np.inf
    score = np.linspace(0.5, 1, 25)
    shown = dict(recorded=RECORDED, decades=decades, score=score, steps=25, measure="accuracy", chance=0.5)
    return Film(**shown | changes)


@pytest.fixture(scope="module")
def training() -> Training:
    """A real run of an LSTM."""
    small = {"hidden_size": 4, "num_steps": 10, "batch_size": 4, "cell": {"kind": "lstm"}}
    trainer = Trainer(Recipe(experiment=small, steps=20))
    trainer.advance(20)
    return trainer.training


def named(figure: dict, name: str) -> dict:
    return next(trace for trace in figure["data"] if trace.get("name") == name)


def test_the_map_holds_the_numbers_and_marks_what_has_none() -> None:
    shown = film()
    figure = figures.training_movie(shown, 2)
    heat = named(figure, "size of gradient")
    finite = np.isfinite(shown.decades)
    np.testing.assert_allclose(heat["z"][finite], shown.decades[finite])
    assert np.isnan(heat["z"][~finite]).all()
    np.testing.assert_array_equal(heat["y"], RECORDED)
    zeros, wrong = named(figure, "exactly 0")["z"], named(figure, "not a finite number")["z"]
    assert np.argwhere(zeros == 1).tolist() == [[1, 2]]
    assert np.argwhere(wrong == 1).tolist() == [[2, 3], [2, 4]]
    said = " ".join(note["text"] for note in figure["layout"]["annotations"])
    assert "exactly 0" in said
    assert "not a finite number" in said
    clean = figures.training_movie(film(decades=-np.ones((4, 6))), 0)
    assert "exactly 0" not in str(clean["layout"]["annotations"])
    assert not any(trace.get("name") == "exactly 0" for trace in clean["data"])


def test_shares_are_beside_the_largest_number_of_their_row() -> None:
    shown = film(share=True)
    z = shown.shown
    np.testing.assert_allclose(np.where(np.isfinite(z), z, -np.inf).max(axis=1), 0)
    np.testing.assert_allclose(z[3], [0, -1, -2, -3, -4, -5])
    assert z[1, 2] == -np.inf
    nothing = film(decades=np.full((4, 6), -np.inf), share=True)
    assert (nothing.shown == -np.inf).all()


@pytest.mark.parametrize("at", range(4))
def test_every_mark_stands_where_its_track_says(at: int) -> None:
    shown = film()
    movie = figures.training_movie(shown, at)
    for index, track in figures.training_movie_tracks(shown).items():
        rows = track if isinstance(track, tuple) else (movie["data"][index]["x"][None].repeat(4, 0), track)
        for axis, values in zip("xy", rows, strict=True):
            np.testing.assert_array_equal(movie["data"][index][axis], values[at])
    assert set(movie["data"][0]["y"]) == {RECORDED[at]}
    curve = figures.movie_curve(shown, at)
    for index, rows in figures.movie_curve_tracks(shown).items():
        np.testing.assert_array_equal(curve["data"][index]["y"], rows[at])
    roots = np.exp(1j * np.arange(20).reshape(4, 5))
    plane = figures.movie_eigenvalues(roots, at)
    (x, y) = figures.movie_eigenvalues_tracks(roots)[0]
    np.testing.assert_array_equal(plane["data"][0]["x"] + 1j * plane["data"][0]["y"], roots[at])
    np.testing.assert_array_equal(x + 1j * y, roots)
    np.testing.assert_array_equal(plane["data"][1]["x"], roots[0].real)
    gates = figures.movie_gates(np.full((4, 6), 0.5), RECORDED, 25, at, "forget")
    np.testing.assert_array_equal(gates["data"][0]["y"], figures.movie_gates_tracks(RECORDED)[0][at])


def test_the_point_lies_on_the_learning_curve() -> None:
    shown = film(score=np.linspace(0, 1, 25) ** 2)
    x, y = figures.training_movie_tracks(shown)[2]
    curve = named(figures.training_movie(shown, 0), "accuracy")
    for row in range(1, 4):
        at = np.flatnonzero(curve["y"] == y[row, 0])
        assert x[row, 0] == curve["x"][at]
    error = film(measure="mean squared error", score=10.0 ** -np.arange(25), chance=1 / 6)
    levels = named(figures.training_movie(error, 0), "mean squared error")["x"]
    assert levels[0] == 0
    assert levels[24] == pytest.approx(np.log10(np.mean(10.0 ** -np.arange(10.0, 25))))


def test_axes_rest_and_hold_all_steps() -> None:
    shown = film()
    for draw in (figures.training_movie, figures.movie_curve):
        one, two = (draw(shown, at)["layout"] for at in (0, 3))
        assert one["xaxis"]["range"] == two["xaxis"]["range"]
        assert one["yaxis"]["range"] == two["yaxis"]["range"]
    low, high = figures.movie_curve(shown, 0)["layout"]["yaxis"]["range"]
    assert low < -23
    assert high > 0
    roots = np.array([[0.5 + 0j], [3.0 + 0j]])
    low, high = figures.movie_eigenvalues(roots, 0)["layout"]["xaxis"]["range"]
    assert high > 3
    wild = figures.movie_eigenvalues(np.array([[1 + 0j], [np.inf + 0j]]), 1)
    assert "not finite" in str(wild["layout"]["annotations"])


def test_zeros_of_the_curve_are_strips_at_its_lower_end() -> None:
    tracks = figures.movie_curve_tracks(film())
    x = figures.movie_curve(film(), 1)["data"][1]["x"]
    marked = np.isfinite(tracks[1][1]) & np.isfinite(x)
    np.testing.assert_allclose(x[marked], [1.5, 2.5])
    assert np.isnan(tracks[1][0]).all()
    assert np.isnan(tracks[0][1][2])


def test_a_row_alone_is_as_high_as_many_training_steps() -> None:
    one = film(recorded=np.array([0]), decades=-np.ones((1, 6)), score=np.zeros(0), steps=400)
    heat = named(figures.training_movie(one, 0), "size of gradient")
    assert "y" not in heat
    assert heat["y0"] == 0
    assert heat["dy"] >= 10
    assert figures.training_movie_alt(one).count("after") == 1
    assert "0 training steps" in figures.movie_curve_alt(one, 0)


def test_gates_use_their_range_and_leave_out_what_is_no_number() -> None:
    values = np.full((4, 6), 0.93)
    values[1, 1], values[2, 2] = 0.97, np.nan
    figure = figures.movie_gates(values, RECORDED, 25, 0, "forget")
    heat = figure["data"][1]
    assert (heat["zmin"], heat["zmax"]) == pytest.approx((0.9, 1.0))
    assert np.isnan(heat["z"][2, 2])
    assert "not a finite number" in str(figure["layout"]["annotations"])
    candidate = figures.movie_gates(np.full((4, 6), -0.15), RECORDED, 25, 0, "cell")["data"][1]
    assert (candidate["zmin"], candidate["zmax"]) == pytest.approx((-0.2, 0.2))
    for level in (0.0, 0.9, 1.0):
        heat = figures.movie_gates(np.full((4, 6), level), RECORDED, 25, 0, "forget")["data"][1]
        assert heat["zmin"] <= level <= heat["zmax"]
        assert heat["zmin"] < heat["zmax"]


def test_plots_of_a_run_in_a_notebook(training: Training) -> None:
    movie = figures.plot_training_movie(training, share=True)
    z = next(trace.z for trace in movie.data if trace.name == "share of the largest")
    rows = training.decades - training.decades.max(axis=1, keepdims=True)
    np.testing.assert_allclose(z, rows, rtol=1e-6, atol=1e-6)
    curve = figures.plot_movie_curve(training, 3, dark=True)
    np.testing.assert_allclose(curve.data[0].y, training.decades[3])
    points = figures.plot_movie_eigenvalues(training, block=1).data[0]
    np.testing.assert_allclose(np.array(points.x) + 1j * np.array(points.y), training.eigenvalues[-1, 1])
    gate = figures.plot_movie_gates(training, "forget")
    index = list(training.recipe.experiment.cell.gates).index("forget")
    np.testing.assert_allclose(gate.data[1].z, training.gates[:, index], rtol=1e-6)
    assert "forget" in figures.movie_gates_alt(training.gates[:, index], training.recorded, "forget")
    with pytest.raises(ValueError, match="no gate 'reset'"):
        figures.plot_movie_gates(training, "reset")


def test_the_film_of_a_run_knows_its_chance_level(training: Training) -> None:
    found = Film.of(training)
    assert found.chance == TASKS["latch"][1]().baseline(10).score
    assert found.steps == 20
    np.testing.assert_array_equal(found.recorded, training.recorded)
