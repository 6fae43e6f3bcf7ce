"""The companion figures, tested by what they draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, figures, run
from explorer.figures.activations import count
from explorer.figures.eigenvalues import CIRCLE_DOTS
from explorer.figures.ledger import LEDGER_TRACES
from explorer.figures.spectrum import SPECTRUM_TRACES
from explorer.figures.state_colors import colored, nice_limit

EXTREME = st.one_of(st.floats(-1500, 1500), st.sampled_from([-np.inf, np.inf, np.nan]))


def texts(figure):
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def small(**changes):
    base = {"hidden_size": 4, "num_steps": 9, "batch_size": 3}
    return run(Experiment.model_validate(base | changes))


def no_infinity(figure):
    for trace in figure["data"]:
        for name in ("y", "z"):
            assert not np.isinf(np.asarray(trace.get(name, 0.0), dtype=float)).any()


# ---- spectrum ----


@pytest.mark.parametrize("size, lines", [(2, 2), (64, 64), (512, 64)])
def test_spectrum_is_one_thin_trace_with_gaps(size, lines):
    steps = np.array([0, 5, 10])
    values = -np.arange(size) * (10 - steps)[:, None] / 100.0
    fan = figures.spectrum(values, steps)["data"][SPECTRUM_TRACES["all"]]
    assert len(fan["y"]) == lines * 4
    assert np.isnan(fan["y"][3::4]).all()
    np.testing.assert_array_equal(fan["y"][:3], values[:, 0])
    np.testing.assert_array_equal(fan["y"][-4:-1], values[:, -1])


def test_spectrum_sorts_steps_and_counts_zeros():
    values = np.array([[0.0, -1.0, -2.0], [-1.0, -np.inf, -np.inf]])
    figure = figures.spectrum(values, [10, 0])
    assert figure["data"][SPECTRUM_TRACES["largest"]]["y"].tolist() == [-1.0, 0.0]
    assert "2 of 3 σ exactly 0 at t = 0" in texts(figure)
    assert "exactly 0 (smallest)" in figures.spectrum_alt(values, [10, 0])


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([2, 5]), st.lists(EXTREME, min_size=15, max_size=15))
def test_spectrum_survives_anything(size, numbers):
    values = np.array(numbers[: 3 * size]).reshape(3, size)
    figure = figures.spectrum(values, [0, 1, 2])
    no_infinity(figure)
    assert figures.spectrum_alt(values, [0, 1, 2])


# ---- ledger ----


def test_ledger_draws_medians_and_their_sum():
    slope, matrix = np.full((10, 3), -0.3), np.full((10, 3), 0.1)
    figure = figures.ledger(slope, matrix)
    bars = figure["data"]
    np.testing.assert_allclose(bars[LEDGER_TRACES["slope"]]["y"], -0.3)
    np.testing.assert_allclose(bars[LEDGER_TRACES["total"]]["y"], -0.2)
    assert bars[0]["x"].tolist() == list(range(1, 11))
    assert figure["layout"]["yaxis"]["range"] == [-0.5, 0.5]
    assert "slope" in texts(figure) and "loss" not in texts(figure)
    assert "direct path" in texts(figures.ledger(slope, matrix, gated=True))
    assert "the slope contributes -0.3 decades" in figures.ledger_alt(slope, matrix)
    gated = figures.ledger_alt(slope, matrix, gated=True)
    assert "the direct path contributes -0.3 decades" in gated
    assert "the paths through W_hh contribute +0.1 decades" in gated


def test_long_ledgers_are_averaged_over_neighbours():
    slope = np.linspace(-1, 0, 1000)
    bars = figures.ledger(slope, np.zeros(1000))["data"]
    assert len(bars[0]["y"]) == 200
    np.testing.assert_allclose(bars[0]["y"], slope.reshape(200, 5).mean(axis=1))
    assert bars[0]["x"][0] == 3 and bars[0]["x"][-1] == 998


def test_ledger_names_steps_without_a_bar():
    slope, matrix, norms = np.full((10, 2), -0.1), np.zeros((10, 2)), np.zeros((11, 2))
    slope[3], slope[:3], norms[:4] = -np.inf, np.nan, -np.inf
    said = texts(figures.ledger(slope, matrix, norms=norms))
    assert "becomes exactly 0" in said and "no gradient" in said and "not a finite" not in said
    norms[:4] = np.nan
    assert "not a finite number" in texts(figures.ledger(slope, matrix, norms=norms))


def test_one_dead_sample_does_not_hide_the_others():
    slope = np.full((10, 4), -0.1)
    slope[:, 0] = np.nan
    np.testing.assert_allclose(figures.ledger(slope, np.zeros((10, 4)))["data"][0]["y"], -0.1)


def test_a_lone_high_bar_is_cut_and_said():
    slope = np.full(100, -0.1)
    slope[4] = -8.0
    figure = figures.ledger(slope, np.zeros(100))
    assert figure["layout"]["yaxis"]["range"][1] < 1
    assert "1 cut, up to 8" in texts(figure)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([2, 7, 401]), st.lists(EXTREME, min_size=7, max_size=7))
def test_ledger_survives_anything(steps, numbers):
    slope = np.resize(np.array(numbers), (steps, 3))
    no_infinity(figures.ledger(slope, -slope, slope))


# ---- weight gradient ----


def test_weight_gradient_shows_parts_total_and_jacobian():
    by_step, jacobian = np.linspace(-20, 1, 50), np.linspace(-20, 0, 51)
    figure = figures.weight_gradient(by_step, 1.4, jacobian)
    parts, other, total = figure["data"]
    assert parts["x"][0] == 1 and parts["x"][-1] == 50 and other["x"][0] == 0
    assert total["y"].tolist() == [1.4, 1.4]
    assert "sum 25.1" in texts(figure)
    assert "25.1" in figures.weight_gradient_alt(by_step, 1.4)


def test_weight_gradient_names_zeros():
    by_step = np.zeros(10)
    by_step[0] = -np.inf
    assert "exactly 0" in texts(figures.weight_gradient(by_step, 1.0))
    no_infinity(figures.weight_gradient(np.full(3, -np.inf), -np.inf))


def test_a_lone_part_is_a_dot():
    zeros = -np.inf
    lone = figures.weight_gradient(np.array([zeros, 1.0, zeros, 2.0, 3.0]), 3.1)["data"][0]
    assert lone["mode"] == "lines+markers" and lone["marker"]["size"].tolist() == [0, 7, 0, 0, 0]
    two = figures.weight_gradient(np.array([zeros, 1.0]), 1.0, np.array([np.nan, np.nan, 0.0]))["data"]
    assert [trace["mode"] for trace in two] == ["lines+markers", "lines+markers", "lines"]
    sparse = np.array([0.0, np.nan, 0.1, np.nan, 0.2, 0.3])
    assert {t["mode"] for t in figures.weight_gradient(np.zeros(5), 0.0, sparse)["data"]} == {"lines"}


def test_labels_of_a_weight_gradient_do_not_meet():
    figure = figures.weight_gradient(np.array([np.nan] * 3 + [-np.inf] * 3), 0.0)
    heights = [n["y"] for n in figure["layout"]["annotations"] if n.get("yref") == "y domain"]
    assert len(heights) == len(set(heights)) == 2


def test_labels_of_a_ledger_do_not_meet():
    slope = np.full(10, np.nan)
    slope[-1], norms = -np.inf, np.full(11, -np.inf)
    notes = figures.ledger(slope, np.zeros(10), norms=norms)["layout"]["annotations"]
    heights = [note["y"] for note in notes if note.get("yref") == "y domain"]
    assert len(heights) == len(set(heights)) == 2
    outside = [note for note in notes if "grows" in note["text"] or "shrinks" in note["text"]]
    assert {(note["x"], note["xanchor"]) for note in outside} == {(0, "right")}


# ---- states and gates ----


def test_states_are_float32_units_by_time():
    values = np.tanh(np.random.default_rng(0).normal(size=(11, 6)))
    heat = figures.states(values, np.zeros((10, 1)))["data"][0]
    assert heat["z"].dtype == np.float32
    np.testing.assert_allclose(heat["z"], values.T, rtol=1e-6)
    assert (heat["zmin"], heat["zmax"]) == (-1, 1)


def test_many_units_are_thinned_and_said():
    figure = figures.states(np.zeros((3, 512)))
    assert figure["data"][0]["z"].shape == (128, 3)
    assert figure["layout"]["yaxis"]["title"]["text"] == "unit (128 of 512)"


def test_huge_states_become_logarithmic():
    values = np.array([[1.0, -1.0], [1.5, 1.25]])
    shown = colored(values, np.array([0, 4000]))
    assert shown.logarithmic and np.isfinite(shown.z).all()
    np.testing.assert_allclose(shown.z[0, 1], 4000 * np.log10(2) + np.log10(1.5), rtol=1e-6)
    assert colored(np.array([[np.inf, -1.0]])).z[0, 0] > 0
    assert nice_limit(3.2) == 5 and nice_limit(0.7) == 1 and nice_limit(np.inf) == 1


@pytest.mark.parametrize("exponents", [None, [0, 3, 3], [0, 5000, 9000], [0, -5000, -9000]])
@pytest.mark.parametrize("power", [-320, -300, -100, -46, -40, -5, 0, 5, 29, 30, 31, 38, 39, 100, 300, 308])
def test_states_of_any_size_are_drawn(power, exponents):
    largest = float(f"1e{power}")
    shown = colored(
        largest * np.array([[0.0, 0.5], [-0.7, 0.9], [1.0, -1.0]]),
        None if exponents is None else np.array(exponents),
    )
    assert np.isfinite(shown.z).all() and np.isfinite(shown.limit) and shown.limit > 0
    assert np.abs(shown.z).max() <= 1.001 * shown.limit
    if exponents is None:
        assert np.abs(shown.z).max() >= 0.4 * shown.limit


def test_explosions_within_the_float_range_are_not_blank():
    trace = small(cell={"kind": "rnn", "activation": "linear"}, weight_scale=4, num_steps=70)
    heat = figures.trace_states(trace)["data"][0]
    assert np.isfinite(heat["z"]).all() and np.abs(heat["z"]).max() > 0.5 * heat["zmax"] > 4


def test_numbers_that_are_none_are_grey_and_said():
    figure = figures.states(np.array([[0.0, np.nan], [0.1, 0.2]]))
    assert "not a number" in texts(figure)
    assert figure["layout"]["plot_bgcolor"] == "token:muted"


@pytest.mark.parametrize(
    "signal, kind",
    [
        ({"kind": "digits"}, "heatmap"),
        ({"kind": "text"}, "scatter"),
        ({"kind": "sine"}, "scatter"),
        ({"kind": "noise", "channels": 3}, "heatmap"),
        ({"kind": "text", "text": ""}, "scatter"),
    ],
)
def test_input_strip_follows_the_signal(signal, kind):
    trace = small(signal=signal)
    strip = figures.trace_states(trace)["data"][1]
    assert strip["type"] == kind and strip["yaxis"] == "y2"
    if signal == {"kind": "text"}:
        assert "".join(strip["text"]) == "the␣gradi"


def test_long_texts_are_blocks_of_words():
    strip = figures.trace_states(small(signal={"kind": "text"}, num_steps=60))["data"][1]
    assert strip["type"] == "heatmap" and np.isnan(strip["z"][0, 3])
    assert strip["text"][0][:3] == ["t", "h", "e"]


def test_gates_of_each_cell():
    for draw in (lambda: figures.gates(small().gates), lambda: figures.plot_gates(small())):
        with pytest.raises(ValueError, match="no gates"):
            draw()
    for kind, chosen, lines in (("lstm", "forget", 4), ("gru", "update", 3)):
        trace = small(cell={"kind": kind})
        values = {name: array[:, 0] for name, array in trace.gates.items()}
        figure = figures.gates(values)
        assert figure["data"][0]["name"] == chosen
        np.testing.assert_allclose(figure["data"][0]["z"], values[chosen].T, rtol=1e-6)
        means = figure["data"][3:]
        assert len(means) == lines
        for line in means:
            np.testing.assert_allclose(line["y"], values[line["name"]].mean(axis=1))
        (legend,) = [note for note in figure["layout"]["annotations"] if chosen in note["text"]]
        assert all(name in legend["text"] for name in values) and legend["y"] == 1
        with pytest.raises(ValueError, match="no gate 'oops'"):
            figures.gates(values, "oops")
        assert chosen in figures.gates_alt(values)


def test_mean_axis_goes_below_zero_only_when_a_mean_does():
    values = {"forget": np.full((5, 3), 0.5), "cell": np.full((5, 3), 0.4)}
    assert figures.gates(values)["layout"]["yaxis2"]["range"][0] == -0.05
    values["cell"] = -values["cell"]
    assert figures.gates(values)["layout"]["yaxis2"]["range"][0] == -1.05


# ---- eigenvalues and activations ----


def test_eigenvalues_and_circle_scale_with_the_knob():
    values = np.array([0.5 + 0.5j, 0.5 - 0.5j])
    figure = figures.eigenvalues(values, 0.9)
    x, y = figures.eigenvalue_points(values, 0.9)
    trace = figure["data"][figures.EIGENVALUE_TRACES["eigenvalues"]]
    np.testing.assert_array_equal(trace["x"], x)
    assert len(x) == 2 + CIRCLE_DOTS
    np.testing.assert_allclose(np.hypot(x, y)[2:], 0.9)
    assert figure["layout"]["yaxis"]["scaleanchor"] == "x"
    twice, _ = figures.eigenvalue_points(2 * values, 1.8)
    np.testing.assert_allclose(twice, 2 * x)
    assert "0 of 2 eigenvalues" in figures.eigenvalues_alt(values, 0.9)


def test_eigenvalue_axes_cover_and_stay():
    ranges = {
        figures.eigenvalues(np.array([r + 0j]), r, reach=4.0)["layout"]["xaxis"]["range"][1]
        for r in (0.1, 3.9)
    }
    assert ranges == {5.0}
    assert "not numbers" in texts(figures.eigenvalues(np.array([np.nan, 1.0]), np.nan))


def test_activation_counts():
    saturated = np.array([[0.99, 0.5], [-0.97, 0.0]])
    assert count(saturated, "tanh").share == 0.5
    assert "50 % saturated" in texts(figures.activations(saturated))
    assert "75 % saturated" in texts(figures.activations(np.array([[0.01, 0.99, 0.5, 0.999]]), "sigmoid"))
    relu = np.array([[[0.0, 1.0, 0.0]], [[0.0, 2.0, 3.0]]])
    assert "50 % exactly 0" in texts(figures.activations(relu, "relu"))
    assert "1 of 3 units dead" in figures.activations_alt(relu, "relu")


def test_relu_zeros_have_a_bar_of_their_own():
    found = count(np.array([[0.0, 1e-6, 0.5, 1.0]]), "relu")
    assert found.counts[0] == 1 and found.counts.sum() == 4 and found.counts[1] == 1
    assert found.edges[1] == 0


@pytest.mark.parametrize("kind", ["linear", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [3, 2000, -2000])
def test_activations_with_exponents_are_counted_exactly(kind, dtype, power):
    rng = np.random.default_rng(0)
    values = np.abs(rng.normal(size=(6, 2, 5))).astype(dtype)
    values[..., 0] = 0
    exponents = np.full((6, 2), power)
    found = count(values, kind, exponents)
    assert found.not_finite == 0 and found.logarithmic == (power == 2000)
    if kind == "relu":
        assert found.dead == 1 and found.share == pytest.approx(0.2)
        assert found.counts.sum() == values.size
    if power == 2000:
        decades = np.log10(values[values > 0].astype(float)) + 2000 * np.log10(2)
        assert found.edges[-1] == np.ceil(decades.max())
    if power == 3:
        np.testing.assert_array_equal(found.counts, count(np.ldexp(values, 3), kind).counts)
    assert "not finite" not in figures.activations_alt(values, kind, exponents=exponents)


def test_linear_runs_beyond_the_float_range_are_all_counted():
    trace = small(
        cell={"kind": "rnn", "activation": "linear"}, weight_scale=4, num_steps=600, dtype="float32"
    )
    assert not np.isfinite(trace.states["h"]).all()
    shown = figures.plot_activations(trace)
    assert "not finite" not in str(shown.layout.annotations) and shown.layout.xaxis.range[1] > 150


def test_further_sentences_are_written_under_the_counts():
    said = "forget gate: 3 % shut, 41 % open"
    plain, figure = (figures.activations(np.zeros((2, 3)), extra=extra) for extra in ((), (said,)))
    assert texts(figure) == f"0 % saturated<br>{said}"
    assert figure["layout"]["margin"]["t"] > plain["layout"]["margin"]["t"]
    assert said in figures.activations_alt(np.zeros((2, 3)), extra=[said])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4),
    st.sampled_from(["tanh", "sigmoid", "relu", "linear"]),
)
def test_activations_survive_anything(numbers, kind):
    figure = figures.activations(np.array(numbers).reshape(2, 2), kind)
    no_infinity(figure)
    bad = int((~np.isfinite(numbers)).sum())
    assert ("not finite" in texts(figure)) == (bad > 0)


# ---- axes ----


@pytest.mark.parametrize("size, whole", [(4, True), (12, False)])
def test_few_steps_and_units_have_whole_ticks(size, whole):
    gate = {"forget": np.full((size, size), 0.5)}
    for figure in (figures.states(np.zeros((size + 1, size))), figures.gates(gate)):
        for name in ("xaxis", "yaxis"):
            assert (figure["layout"][name].get("dtick") == 1) == whole
    assert (figures.weight_gradient(np.zeros(size), 0.0)["layout"]["xaxis"].get("dtick") == 1) == whole


def test_every_figure_says_what_its_numbers_are():
    line, gate = np.zeros(6), {"forget": np.full((5, 3), 0.5)}
    drawn = {
        "gradient": figures.gradient(line),
        "ledger": figures.ledger(line, line),
        "spectrum": figures.spectrum(np.zeros((2, 3)), [0, 5]),
        "weight": figures.weight_gradient(line, 0.0),
        "states": figures.states(np.zeros((6, 3)), np.zeros((5, 1))),
        "huge": figures.states(np.full((6, 3), 1e40)),
        "gates": figures.gates(gate),
        "eigenvalues": figures.eigenvalues(np.ones(3), 1.0),
        "activations": figures.activations(np.zeros((5, 3))),
    }
    for name, figure in drawn.items():
        meta = figure["layout"]["meta"]
        heat = any(trace["type"] == "heatmap" for trace in figure["data"])
        assert set(meta) == ({"x", "y", "z"} if heat else {"x", "y"}), name
        assert all(isinstance(said, str) and said for said in meta.values())
        if name in ("gradient", "ledger", "spectrum", "weight"):
            assert meta["x"] == "time step t" and "log10" in meta["y"]
        figures.themed(figure)
    assert "log10" in drawn["huge"]["layout"]["meta"]["z"]
    assert "log10" in figures.activations(np.full((2, 3), 1e9), "linear")["layout"]["meta"]["x"]


# ---- wrappers ----


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_plot_is_a_valid_plotly_figure(cell):
    trace = small(cell={"kind": cell})
    plots = [figures.plot_gradient_norms, figures.plot_spectrum, figures.plot_ledger]
    plots += [figures.plot_weight_gradient, figures.plot_states, figures.plot_eigenvalues]
    plots += [figures.plot_activations] + ([] if cell == "rnn" else [figures.plot_gates])
    for plot in plots:
        for dark in (False, True):
            shown = plot(trace, dark=dark)
            assert "token:" not in shown.to_json(), plot
    if cell == "lstm":
        assert figures.plot_activations(trace, "forget").data


def test_everything_public_is_there():
    assert figures.__all__ == sorted(figures.__all__)
    assert all(getattr(figures, name).__doc__ for name in figures.__all__ if callable(getattr(figures, name)))
    assert "median size" in figures.states_alt(np.zeros((3, 2)))
