"""The gradient figure, tested by what it draws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer import Experiment, run
from explorer.figures import (
    TRACES,
    Ghost,
    caption,
    gradient,
    gradient_alt,
    gradient_range,
    plot_gradient_norms,
    scrub_frames,
    scrub_range,
    themed,
)
from explorer.measures.norms import gradient_norms

CELLS = [{"kind": "rnn"}, {"kind": "rnn", "activation": "relu"}, {"kind": "lstm"}, {"kind": "gru"}]
LOSSES = [{"kind": "last"}, {"kind": "every"}, {"kind": "step", "step": 4}]


def small(cell, loss):
    return run(
        Experiment.model_validate(
            {"cell": cell, "loss": loss, "hidden_size": 4, "num_steps": 8, "batch_size": 3}
        )
    )


def curve(figure, name):
    return figure["data"][TRACES[name]]


def straight(slope, steps=50, batch=1):
    return np.repeat(slope * np.arange(steps, -1, -1.0)[:, None], batch, axis=1)


@pytest.mark.parametrize("cell, loss", itertools.product(CELLS, LOSSES))
def test_every_cell_and_loss_draws_the_same_traces_in_the_same_order(cell, loss):
    trace = small(cell, loss)
    norms = gradient_norms(trace)
    cell_norms = gradient_norms(trace, "c") if cell["kind"] == "lstm" else None
    figure = gradient(norms, cell_decades=cell_norms, loss_steps=np.flatnonzero(trace.loss_weights))
    assert len(figure["data"]) == len(TRACES)
    drawn = curve(figure, "median")["y"]
    expected = np.median(norms, axis=1)
    shown = np.isfinite(expected)
    np.testing.assert_allclose(drawn[shown], expected[shown], atol=1e-12)
    assert np.isnan(drawn[~shown]).all()
    assert (curve(figure, "median_c").get("visible", True) is not False) == (cell_norms is not None)
    assert curve(figure, "loss")["x"].tolist() == np.flatnonzero(trace.loss_weights).tolist()
    themed(figure)


def test_median_and_band_are_quantiles_over_the_batch():
    norms = np.sort(np.random.default_rng(0).normal(size=(11, 16)), axis=1)
    figure = gradient(norms)
    for name, share in (("lower", 0.1), ("median", 0.5), ("upper", 0.9)):
        np.testing.assert_allclose(curve(figure, name)["y"], np.quantile(norms, share, axis=1))
    assert curve(figure, "upper")["fill"] == "tonexty"


def test_orthogonal_linear_network_is_the_line_that_theory_says():
    trace = run(
        Experiment.model_validate(
            {"cell": {"kind": "rnn", "activation": "linear"}, "initializer": {"kind": "orthogonal"}}
            | {"weight_scale": 0.9, "hidden_size": 8, "num_steps": 50, "batch_size": 2}
        )
    )
    figure = plot_gradient_norms(trace)
    np.testing.assert_allclose(figure.data[0].y[0], 50 * np.log10(0.9), atol=1e-9)


def test_exact_zeros_are_shaded_and_named_and_never_drawn():
    norms = straight(-0.5, 20, 4)
    norms[:8] = -np.inf
    figure = gradient(norms)
    assert np.isnan(curve(figure, "median")["y"][:8]).all()
    assert np.isfinite(curve(figure, "zero")["y"]).tolist() == [True] * 8 + [False] * 13
    assert curve(figure, "zero_label")["text"] == "exactly 0"
    assert np.isfinite(curve(figure, "zero_label")["y"]).sum() == 1
    assert np.isnan(curve(figure, "not_finite")["y"]).all()


def test_zeros_of_h_are_not_said_of_a_living_c():
    figure = gradient(np.full((21, 2), -np.inf), cell_decades=straight(-0.5, 20, 2))
    assert curve(figure, "zero_label")["text"] == "∂L/∂h<sub>t</sub> exactly 0"
    assert "∂L/∂h<sub>t</sub> exactly 0" in curve(figure, "zero")["hovertemplate"]


def test_zeros_of_both_states_are_named_without_either():
    dead = straight(-0.5, 20, 2)
    dead[:8] = -np.inf
    assert curve(gradient(dead, cell_decades=dead - 0.5), "zero_label")["text"] == "exactly 0"
    longer = straight(-0.5, 20, 2)
    longer[:6] = -np.inf
    assert curve(gradient(dead, cell_decades=longer), "zero_label")["text"] == "∂L/∂h<sub>t</sub> exactly 0"
    alive = straight(-0.5, 20, 2)
    assert curve(gradient(alive, cell_decades=alive), "zero_label")["text"] == "∂L/∂h<sub>t</sub> exactly 0"


def test_no_change_stands_at_the_right():
    (note,) = [n for n in gradient(straight(-0.5))["layout"]["annotations"] if n["text"] == "no change"]
    assert (note["x"], note["xanchor"], note["xref"]) == (1, "right", "x domain")


def test_numbers_that_are_none_are_named():
    norms = straight(-0.5, 20, 4)
    norms[:3, 1], norms[3:5] = np.nan, np.inf
    figure = gradient(norms)
    assert np.flatnonzero(np.isfinite(curve(figure, "not_finite")["y"])).tolist() == [0, 1, 2, 3, 4]
    assert curve(figure, "not_finite_label")["text"] == "not a finite number"
    assert np.isnan(curve(figure, "median")["y"][:5]).all()


def test_samples_are_one_trace_with_gaps():
    norms = np.random.default_rng(1).normal(size=(6, 3))
    line = curve(gradient(norms, samples=True), "samples")
    assert len(line["x"]) == 3 * 7
    assert np.flatnonzero(np.isnan(line["y"])).tolist() == [6, 13, 20]
    np.testing.assert_array_equal(line["y"][7:13], norms[:, 1])
    assert curve(gradient(norms), "samples")["visible"] is False


def test_ghosts_have_their_places_labels_and_dashes():
    ghosts = [Ghost(f"pin {k}", straight(-0.1 * k, 10)[:, 0]) for k in range(4)]
    figure = gradient(straight(-0.5, 10), ghosts=ghosts)
    drawn = [curve(figure, f"ghost_{k}") for k in range(1, 5)]
    assert [line["name"] for line in drawn] == ["pin 0", "pin 1", "pin 2", "pin 3"]
    assert len({line["line"]["dash"] for line in drawn}) == 4
    with pytest.raises(ValueError, match="at most 4"):
        gradient(straight(-0.5, 10), ghosts=ghosts * 2)


def test_longer_ghosts_are_seen_whole():
    layout = gradient(straight(-0.1, 10), ghosts=[Ghost("long", straight(-0.1, 40))])["layout"]
    assert layout["xaxis"]["range"][1] >= 40


def test_range_stays_while_the_curve_moves_within_the_scrub_range():
    extremes = (-48.0, 3.0)
    ranges = {
        tuple(gradient(straight(s), extremes=extremes)["layout"]["yaxis"]["range"])
        for s in np.linspace(-0.95, 0.05, 20)
    }
    assert len(ranges) == 1


def test_bound_far_away_does_not_flatten_the_curves():
    low, high = gradient_range(straight(-0.2), bound=straight(5.0)[:, 0])
    assert (low, high) == (-10, 5)


def test_underflow_is_marked_only_where_it_is_in_sight():
    texts = [note["text"] for note in gradient(straight(-8.0))["layout"]["annotations"]]
    assert [text for text in texts if "float" in text] == ["float32 ends here", "float64 ends here"]
    assert "no change" in texts
    assert not gradient(straight(-0.2))["layout"]["shapes"]


def test_scrub_frames_are_what_the_figure_would_draw():
    grid = np.stack([straight(slope, 12, 5) for slope in (-0.8, -0.5, -0.2, 0.1)])
    grid[1, :4] = -np.inf
    span = scrub_range(grid)
    frames = scrub_frames(grid, span=span)
    for k, norms in enumerate(grid):
        figure = gradient(norms, span=span)
        assert frames.layout["yaxis"] == figure["layout"]["yaxis"]
        for name, index in TRACES.items():
            trace = figure["data"][index]
            if trace.get("visible", True) is True and not name.startswith("ghost"):
                assert frames.views[frames.view_of[k]][str(index)]["visible"] is True
                np.testing.assert_allclose(frames.tracks[index][k], trace["y"])


def test_one_extreme_value_of_a_knob_does_not_flatten_all_others():
    slopes = np.linspace(-0.5, 0.05, 20)
    grid = np.stack([straight(slope, 100, 5) for slope in (-30.0, *slopes)])
    low, high = scrub_range(grid)
    assert -60 <= low <= -45
    assert 0 <= high <= 10
    assert scrub_range(np.full((4, 11, 2), -np.inf)) == gradient_range(np.zeros(2))


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([3, 11, 1001]).flatmap(
        lambda n: arrays(
            float,
            (n, 2),
            elements=st.one_of(st.floats(-1500, 1500), st.sampled_from([-np.inf, np.inf, np.nan, 0.0])),
            fill=st.sampled_from([-np.inf, np.nan, -1000.0, 0.0]),
        )
    )
)
def test_any_numbers_give_a_figure_that_covers_them(norms):
    figure = gradient(norms, samples=True)
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < 0 <= high
    for name, index in TRACES.items():
        y = np.asarray(figure["data"][index]["y"], dtype=float)
        assert not np.isinf(y).any(), name
        if name not in ("zero", "not_finite"):
            assert ((y >= low - 1e-9) & (y <= high + 1e-9) | np.isnan(y)).all(), name
    labels = figure["layout"]["yaxis"]["ticktext"]
    assert 2 <= len(labels) <= 8 and "<b>10⁰</b>" in labels
    assert gradient_alt(norms)


def test_caption_names_total_and_factor_per_step():
    assert caption(straight(np.log10(0.9))[:, 0], 50) == "×0.00515 over 50 steps, ×0.9 per step"
    assert caption(-1000.0, 100) == "×1.00·10⁻¹⁰⁰⁰ over 100 steps, ×1.00·10⁻¹⁰ per step"
    assert caption(np.array([-np.inf, 0.0]), 1).startswith("exactly 0")
    assert caption(np.nan, 5).startswith("not a finite number")


def test_alt_text_holds_the_numbers():
    assert "0.00515 at step 0" in gradient_alt(straight(np.log10(0.9), 50, 2))
    assert "exactly 0 at 51 steps" in gradient_alt(np.full((51, 2), -np.inf))


def test_plot_compares_named_traces():
    traces = {"a": small(CELLS[0], LOSSES[0]), "b": small(CELLS[2], LOSSES[0])}
    figure = plot_gradient_norms(traces, dark=True)
    shown = [line for line in figure.data if line.name and line.visible is not False]
    assert [line.name for line in shown] == ["a", "b", "loss enters"]
    lstm = plot_gradient_norms(traces["b"])
    assert lstm.data[TRACES["median_c"]].visible is None
    with pytest.raises(ValueError, match="at least one"):
        plot_gradient_norms({})
