"""Figures of the cliff and of clipping, tested by what they draw."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.figures.cliff_looks import WINDOW, share_inside, written
from explorer.figures.cliff_maps import (
    LANDING_TRACES,
    PATH_TRACES,
    cliff_landing,
    cliff_landing_alt,
    cliff_path,
    cliff_path_alt,
    path_window,
    plot_cliff_landing,
    plot_cliff_path,
)
from explorer.figures.cliff_section import (
    SECTION_TRACES,
    cliff_section,
    cliff_section_alt,
    plot_cliff_section,
)
from explorer.figures.cliff_surface import (
    SURFACE_TRACES,
    cliff_surface,
    cliff_surface_alt,
    plot_cliff_surface,
)
from explorer.figures.clipped_vectors import (
    EXAMPLE,
    clipped_vectors,
    clipped_vectors_alt,
    plot_clipped_vectors,
)
from explorer.figures.norm_histogram import (
    HISTOGRAM_TRACES,
    norm_histogram,
    norm_histogram_alt,
    plot_norm_histogram,
)
from explorer.theory import cliff_grids
from explorer.theory.cliff import cliff_gradient, cliff_loss, descent, edge_bias, single_steps
from explorer.theory.clipping import clip_by_value

EDGE = edge_bias(5.0)
STEPS = single_steps(5.0, EDGE, 0.01, 1.0)


def texts(figure) -> str:
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def points(figure, names, name) -> np.ndarray:
    trace = figure["data"][names[name]]
    return np.column_stack([trace[axis] for axis in "xyz" if axis in trace])


# ---- maps ----


def test_the_map_shows_the_loss_and_where_each_step_lands():
    plane = cliff_grids.loss_plane(WINDOW, points=11)
    figure = cliff_landing(plane, STEPS)
    z = figure["data"][0]["z"]
    shown = np.clip(np.log10(plane.loss), z.min(), z.max())
    np.testing.assert_allclose(z, shown)
    for kind, step in STEPS.items():
        np.testing.assert_array_equal(points(figure, LANDING_TRACES, kind), step.points)
    np.testing.assert_array_equal(points(figure, LANDING_TRACES, "here"), [[5.0, EDGE]])
    said = texts(figure)
    assert "(9.12, 4.00)" in said and "(5.005, −2.604)" in said and "(5.010, −2.602)" in said
    assert "(9.12, 4.00) not clipped, (5.005, −2.604) clipped by norm" in cliff_landing_alt(STEPS)


def test_the_edge_is_where_the_start_is_an_unstable_fixed_point():
    figure = cliff_landing(cliff_grids.loss_plane(WINDOW, points=5), STEPS)
    for w, b in points(figure, LANDING_TRACES, "edge"):
        assert w / (1 + np.exp(-0.5)) + b == pytest.approx(0.5, abs=1e-12)
        assert w * np.exp(-0.5) / (1 + np.exp(-0.5)) ** 2 >= 1 - 1e-12


def test_a_step_that_leaves_the_map_ends_at_its_border_and_says_where_it_goes():
    steps = single_steps(5.0, EDGE, 1.0, 1.0)
    assert steps["none"].points[1][0] > WINDOW[0][1]
    figure = cliff_landing(cliff_grids.loss_plane(WINDOW, points=5), steps)
    start, end = points(figure, LANDING_TRACES, "none")
    along = steps["none"].points[1] - start
    assert np.isclose(end, [10.0, 5.0]).any() and (end <= [10.0, 5.0 + 1e-12]).all()
    np.testing.assert_allclose((end - start) / np.linalg.norm(end - start), along / np.linalg.norm(along))
    assert figure["data"][LANDING_TRACES["none"]]["marker"]["size"][-1] == 0
    assert "(416.87, 659.07)" in texts(figure)
    assert [note["arrowcolor"] for note in figure["layout"]["annotations"] if note["showarrow"]]


@pytest.mark.parametrize("clip", ["none", "norm", "value"])
def test_the_path_is_drawn_until_a_step_leaves_the_map(clip):
    path = descent(5.0, EDGE, 0.01, clip=clip, count=20)
    window = path_window(path)
    figure = cliff_path(cliff_grids.loss_plane(window, points=9), path, clip)
    drawn = points(figure, PATH_TRACES, "path")
    if clip == "none":
        assert len(drawn) == 2 and "step 1 → (9.12, 4.00)" in texts(figure)
    else:
        np.testing.assert_array_equal(drawn, path.points)
        low, high = np.array(window).T
        assert (path.points > low).all() and (path.points < high).all()
    np.testing.assert_array_equal(points(figure, PATH_TRACES, "here"), path.points[:1])
    assert "20 steps" in texts(figure)
    clipped = int(path.clipped.sum())
    assert f"{clipped} of them were clipped" in cliff_path_alt(path, clip)


def test_the_window_of_a_path_stands_still_while_a_knob_moves_a_little():
    widths = set()
    for rate in (0.01, 0.0101, 0.0102):
        (low, high), _ = path_window(descent(5.0, EDGE, rate, clip="norm", count=20))
        widths.add(round(high - low, 12))
        assert (low + high) / 2 == pytest.approx(5.0)
    assert len(widths) == 1


@settings(max_examples=60, deadline=None)
@given(
    start=st.tuples(st.floats(0, 10), st.floats(-8, 5)),
    end=st.tuples(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30)),
)
def test_what_is_drawn_of_a_step_lies_inside(start, end):
    one, two = np.array(start), np.array(end)
    share = share_inside(one, two)
    border = one + share * (two - one)
    assert 0 <= share <= 1
    for value, (low, high) in zip(border, WINDOW, strict=True):
        assert low - 1e-6 <= value <= high + 1e-6


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ((9.1187, 4.00453), "(9.12, 4.00)"),
        ((5.00528, EDGE + 0.00849), "(5.005, −2.604)"),
        ((5.0, EDGE), "(5.000, −2.612)"),
        ((5.0 + 1e-9, EDGE), "(5.000, −2.612)"),
        ((5.0003, EDGE), "(5.00030, −2.61230)"),
        ((-1.5e12, 2e12), "(−1.50·10¹², 2.00·10¹²)"),
    ],
)
def test_points_are_written_as_exactly_as_their_step_is_long(point, said):
    assert written(point, (5.0, EDGE)) == said


# ---- surface ----


def test_the_surface_is_the_loss_and_the_flight_ends_where_the_step_lands():
    plane = cliff_grids.sheared_plane(WINDOW, points=21)
    figure = cliff_surface(plane, STEPS)
    surface = figure["data"][SURFACE_TRACES["loss"]]
    assert surface["x"].shape == surface["y"].shape == surface["z"].shape
    np.testing.assert_allclose(surface["z"], cliff_loss(surface["x"], surface["y"])[0])
    for kind, step in STEPS.items():
        flight = points(figure, SURFACE_TRACES, kind)
        np.testing.assert_allclose(flight[[0, -1], :2], step.points, atol=1e-12)
        above = flight[[0, -1], 2] - step.losses
        assert (above > 0).all() and (above < 0.05).all()
    assert flight[:, 2].max() < 0.7**2
    thrown = cliff_surface(plane, single_steps(5.0, EDGE, 1.0, 1.0))["data"][SURFACE_TRACES["none"]]
    assert thrown["marker"]["size"][-1] == 0 and thrown["y"][-1] == pytest.approx(WINDOW[1][1])
    assert "(5.005, −2.604) clipped by norm" in cliff_surface_alt(STEPS)


# ---- section ----


@pytest.mark.parametrize(("along", "here"), [("w", 5.0), ("b", EDGE)])
def test_the_section_draws_gradient_and_loss(along, here):
    found = cliff_grids.cliff_section(5.0, EDGE, along, WINDOW["wb".index(along)])
    figure = cliff_section(found, here, threshold=1.0)
    data = figure["data"]
    np.testing.assert_array_equal(data[SECTION_TRACES["gradient"]]["y"], found.decades)
    np.testing.assert_array_equal(data[SECTION_TRACES["loss"]]["y"], found.loss)
    assert data[SECTION_TRACES["gradient here"]]["y"][0] == pytest.approx(np.log10(779.398), abs=1e-6)
    assert data[SECTION_TRACES["loss here"]]["x"][0] == here
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < found.decades.min() and found.decades.max() < high
    assert "threshold" in texts(figure) and "threshold" not in texts(cliff_section(found, here))
    assert f"at {along} = {here:.5g} it is 779 and the loss 0.00601" in cliff_section_alt(found, here)


# ---- vectors ----


def angle(trace) -> float:
    return float(np.degrees(np.arctan2(trace["y"][1], trace["x"][1])))


def test_arrows_point_where_the_vectors_do():
    here = cliff_gradient(5.0, EDGE).vector
    gradients = [("here", here), ("(100, 1)", np.array(EXAMPLE))]
    figure = clipped_vectors(gradients, 1.0)
    for place, (name, gradient) in enumerate(gradients):
        ring, *arrows = figure["data"][4 * place : 4 * place + 4]
        np.testing.assert_allclose(np.hypot(ring["x"], ring["y"]), 1.0)
        vectors = (gradient, gradient, clip_by_value(gradient, 1.0))
        for trace, vector in zip(arrows, vectors, strict=True):
            assert trace["name"].startswith(name)
            assert angle(trace) == pytest.approx(np.degrees(np.arctan2(vector[1], vector[0])), abs=1e-9)
    said = clipped_vectors_alt(gradients, 1.0)
    assert "here: 779 → 1, or 1.41 turned 13.1°" in said and "(100, 1): 100 → 1, or 1.41 turned 44.4°" in said


def test_a_short_gradient_and_none_at_all_are_named():
    gradients = [("here", np.array([3e-9, 0.0])), ("zero", np.zeros(2))]
    figure = clipped_vectors(gradients, 1.0)
    assert "3.00·10⁻⁹<br>not changed by clipping" in texts(figure)
    assert "zero: exactly 0<br>not changed by clipping" in texts(figure)
    assert all(len(trace["x"]) == 0 for trace in figure["data"][5:8])


# ---- histogram ----


@settings(max_examples=60, deadline=None)
@given(
    norms=st.lists(st.floats(0, 1e300) | st.sampled_from([0.0, np.inf, np.nan]), max_size=60).map(np.array),
    clip_at=st.none() | st.floats(1e-3, 1e3),
)
def test_every_norm_is_counted_or_named(norms, clip_at):
    after = norms if clip_at is None else np.minimum(norms, clip_at)
    figure = norm_histogram(norms, after, clip_at)
    said, placed = texts(figure), norms[np.isfinite(norms) & (norms > 0)]
    if not len(norms):
        assert "No step" in said
        return
    if len(placed) or clip_at is not None:
        counted = figure["data"][HISTOGRAM_TRACES["before"]]["y"]
        assert counted.sum() == len(placed)
        if clip_at is not None and len(placed):
            kept = figure["data"][HISTOGRAM_TRACES["after"]]
            top = kept["x"][np.flatnonzero(kept["y"])].max() - kept["width"] / 2
            assert top <= np.log10(clip_at) + 1e-9
    if (norms == 0).any():
        assert f"{(norms == 0).sum()} × exactly 0" in said
    if not np.isfinite(norms).all():
        assert f"{(~np.isfinite(norms)).sum()} × not a finite number" in said
    assert norm_histogram_alt(norms, after, clip_at).startswith(f"{len(norms)} steps")


def test_the_histogram_moves_what_was_clipped_to_the_threshold():
    before = np.array([1e-6, 0.01, 0.1, 5.0, 200.0, 779.4])
    after = np.minimum(before, 1.0)
    figure = norm_histogram(before, after, 1.0)
    bars = figure["data"][HISTOGRAM_TRACES["after"]]
    at = int(np.argmin(np.abs(bars["x"])))
    assert bars["x"][at] == pytest.approx(0, abs=1e-12) and bars["y"][at] == 3
    assert figure["layout"]["shapes"][0]["x0"] == 0
    assert "3 of them were clipped at 1" in norm_histogram_alt(before, after, 1.0)


def test_histograms_of_different_runs_are_refused():
    with pytest.raises(ValueError, match=r"before has the shape \[3\] and after \[2\]"):
        norm_histogram(np.ones(3), np.ones(2))


# ---- notebooks ----


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_has_a_notebook_form(dark):
    for figure in (
        plot_cliff_landing(dark=dark),
        plot_cliff_path(count=3, dark=dark),
        plot_cliff_section(dark=dark),
        plot_cliff_surface(num_steps=5, dark=dark),
        plot_clipped_vectors(dark=dark),
        plot_norm_histogram(np.array([0.1, 3.0]), np.array([0.1, 1.0]), clip_at=1.0, dark=dark),
    ):
        assert isinstance(figure, go.Figure) and "token:" not in figure.to_json()
