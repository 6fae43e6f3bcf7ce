"""The figures of the gate laboratory, tested by what they draw."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, figures, run
from explorer.cells import CELLS
from explorer.figures import style
from explorer.figures.decade_lines import Line, decade_lines
from explorer.figures.directions import DIRECTION_TRACES
from explorer.figures.forget_half_life import HALF_LIFE_TRACES
from explorer.figures.gate_distribution import DISTRIBUTION_TRACES
from explorer.figures.gate_maps import MAX_UNITS
from explorer.figures.held_regions import outlines, spans
from explorer.figures.lanes import LANE_TRACES
from explorer.figures.unit import unit_arrays
from explorer.measures.lanes import LaneDerivatives
from explorer.theory import half_life_of_forget_gate

GATED = [kind for kind, (_, cell) in CELLS.items() if cell.gates]
EXTREME = st.one_of(st.floats(-1500, 1500), st.sampled_from([-np.inf, np.inf, np.nan]))


def texts(figure: dict[str, Any]) -> str:
    return " | ".join(note["text"] for note in figure["layout"].get("annotations", []))


def traced(kind: str = "lstm", **changes: Any) -> Any:
    base = {"cell": {"kind": kind}, "hidden_size": 4, "num_steps": 9, "batch_size": 3}
    return run(Experiment.model_validate(base | changes))


def no_infinity(figure: dict[str, Any]) -> None:
    for trace in figure["data"]:
        for name in ("y", "z"):
            assert not np.isinf(np.asarray(trace.get(name, 0.0), dtype=float)).any()


# ---- held regions ----


def test_held_steps_of_all_units_are_one_outline_and_single_units_have_their_own() -> None:
    mask = np.zeros((9, 4), bool)
    mask[2:5] = True
    mask[6, 3] = True
    whole, single = outlines(mask, "y3")
    assert [whole[name] for name in ("x0", "x1", "y0", "y1")] == [2.5, 5.5, -0.5, 3.5]
    assert [single[name] for name in ("x0", "x1", "y0", "y1")] == [6.5, 7.5, 2.5, 3.5]
    assert {shape["yref"] for shape in (whole, single)} == {"y3"}
    assert outlines(np.zeros((9, 4), bool), "y") == []


def test_bars_along_the_bottom_cover_the_steps_of_all_gates_together() -> None:
    first, second = np.zeros((9, 4), bool), np.zeros((9, 4), bool)
    first[0:3, 1], second[2:4] = True, True
    (bar,) = spans({"input": first, "forget": second})
    assert (bar["x0"], bar["x1"]) == (0.5, 4.5)
    assert spans({}) == []


# ---- maps ----


@pytest.mark.parametrize("kind", GATED)
def test_maps_hold_every_gate_and_state_on_one_time_axis(kind: str) -> None:
    trace = traced(kind)
    gates = {name: values[:, 1] for name, values in trace.gates.items()}
    states = {name: values[:, 1] for name, values in trace.states.items()}
    figure = figures.gate_maps(gates, states, trace.inputs[:, 1], unit=2)
    maps = {item["name"]: item for item in figure["data"] if item["type"] == "heatmap"}
    assert set(maps) == {style.LABELS.get(name, name) for name in (*gates, *states)}
    for name, values in {**gates, **states}.items():
        drawn = maps[style.LABELS.get(name, name)]
        assert drawn["z"].dtype == np.float32
        np.testing.assert_allclose(drawn["z"], values.T, rtol=1e-6)
        assert drawn["x"][0] == (1 if name in gates else 0) and drawn["x"][-1] == 9
        assert "xaxis" not in drawn  # all on the first one
    places = [figure["layout"][f"yaxis{item.get('yaxis', 'y')[1:]}"]["domain"] for item in figure["data"]]
    assert len({tuple(place) for place in places}) == len(figure["data"])
    ordered = sorted(places)
    assert all(low[1] < high[0] for low, high in pairwise(ordered))
    assert sum(shape["y0"] == shape["y1"] == 2 for shape in figure["layout"]["shapes"]) == len(maps)
    style.themed(figure)


def test_scales_of_gates_candidates_and_other_activations() -> None:
    gates = {"forget": np.full((9, 4), 0.5), "cell": np.full((9, 4), -0.5), "input": np.full((9, 4), 3.0)}
    figure = figures.gate_maps(gates, {"h": np.zeros((10, 4))})
    ends = {item["name"]: (item["zmin"], item["zmax"]) for item in figure["data"]}
    assert ends == {"forget f": (0, 1), "input i": (-5, 5), "candidate g": (-1, 1), "state h": (-1, 1)}


def test_many_units_are_thinned_and_held_ones_outlined_on_their_own_map() -> None:
    held = {"cell": np.ones((9, 300), bool)}
    gates = {"cell": np.zeros((9, 300)), "forget": np.ones((9, 300))}
    figure = figures.gate_maps(gates, {"h": np.zeros((10, 300))}, held=held)
    assert {item["z"].shape[0] for item in figure["data"]} == {MAX_UNITS}
    (shape,) = figure["layout"]["shapes"]
    assert shape["yref"] == figure["data"][1]["yaxis"] and figure["data"][1]["name"] == "candidate g"
    assert (shape["y0"], shape["y1"]) == (-0.5, 299.5)


def test_a_map_with_numbers_that_are_none_is_grey_and_said() -> None:
    wrong = np.full((9, 4), np.nan)
    figure = figures.gate_maps({"forget": wrong}, {"h": np.zeros((10, 4))})
    assert figure["layout"]["plot_bgcolor"] == style.MUTED and "not a number" in texts(figure)


@pytest.mark.parametrize("signal, kind", [("digits", "heatmap"), ("text", "scatter"), ("sine", "scatter")])
def test_the_input_lies_under_the_maps(signal: str, kind: str) -> None:
    trace = traced(signal={"kind": signal})
    figure = figures.plot_gate_maps(trace)
    strip = next(item for item in figure.data if item.yaxis == "y2")
    assert strip.type == kind
    assert figure.layout.yaxis2.domain[0] == 0
    if signal == "text":
        assert "".join(strip.text).startswith("the␣grad")


# ---- distribution ----


def test_bands_are_quantiles_over_the_units() -> None:
    values = np.random.default_rng(0).uniform(0, 1, (9, 11))
    figure = figures.gate_distribution(values, "forget")
    for name, share in (("0–100 %", 1.0), ("10–90 %", 0.9), ("25–75 %", 0.75), ("median", 0.5)):
        trace = figure["data"][DISTRIBUTION_TRACES[name]]
        assert trace["name"] == name
        np.testing.assert_allclose(trace["y"], np.quantile(values, share, axis=1))
        assert trace["x"].tolist() == list(range(1, 10))
    np.testing.assert_allclose(figure["data"][2]["y"], np.quantile(values, 0.1, axis=1))


@pytest.mark.parametrize(
    "name, value, first, ends",
    [
        ("forget", 0.5, 1, (0, 1)),
        ("cell", -0.9, 1, (-1, 1)),
        ("input", 7.0, 1, (0, 10)),
        ("c", -30.0, 0, (-50, 0)),
        ("c", 0.0, 0, (-1, 1)),
    ],
)
def test_axes_follow_what_is_bounded(name: str, value: float, first: int, ends: tuple[float, float]) -> None:
    figure = figures.gate_distribution(np.full((9, 4), value), name, first=first)
    low, high = figure["layout"]["yaxis"]["range"]
    assert low <= ends[0] <= ends[1] <= high
    assert high - low < 1.2 * (ends[1] - ends[0])


# ---- lanes, directions ----


def lanes_of(direct: np.ndarray, full: np.ndarray, state: str = "c", **parts: Any) -> LaneDerivatives:
    return LaneDerivatives(state, direct, full, parts.pop("directions", 4), **parts)


def test_lanes_draw_both_and_the_ones_without_holds() -> None:
    direct, full = np.linspace(-9, 0, 10), np.linspace(-6, 0, 10)
    found, before = lanes_of(direct, full), lanes_of(direct - 1, full - 1)
    figure = figures.lanes(found, 4, before)
    for name, values in (("direct", direct), ("full", full)):
        np.testing.assert_array_equal(figure["data"][LANE_TRACES[name]]["y"], values)
        (ghost,) = [item for item in figure["data"] if item["name"] == f"{name}, without holds"]
        np.testing.assert_array_equal(ghost["y"], values - 1)
    assert "cell path alone" in texts(figure) and "estimated" not in texts(figure)
    assert "the cell path alone passes 1.00·10⁻⁹, everything 1.00·10⁻⁶" in figures.lanes_alt(found)
    assert "direct path alone" in texts(figures.lanes(lanes_of(direct, full, "h"), 4))


def test_estimates_and_forget_gates_alone_are_named() -> None:
    line = np.linspace(-9, 0, 10)
    figure = figures.lanes(lanes_of(line, line, directions=30, gate=line - 1), 256)
    assert "estimated from 30 of 256 directions" in texts(figure)
    assert "Π f alone" in texts(figure)
    np.testing.assert_array_equal(figure["data"][2]["y"], line - 1)


def test_a_lane_that_is_exactly_zero_is_shaded_and_named() -> None:
    found = lanes_of(np.append(np.full(5, -np.inf), np.zeros(5)), np.zeros(10))
    figure = figures.lanes(found, 4)
    no_infinity(figure)
    assert np.isnan(figure["data"][LANE_TRACES["direct"]]["y"][:5]).all()
    assert "cell path alone exactly 0" in texts(figure)
    (shade,) = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    assert (shade["x0"], shade["x1"]) == (-0.5, 4.5)
    assert "exactly 0" in figures.lanes_alt(found)


def test_shares_are_stacked_and_negative_ones_reach_below() -> None:
    shares = {"c": np.full(9, 0.9), "forget": np.full(9, 0.3), "input": np.full(9, -0.2)}
    figure = figures.lane_shares(shares, {name: np.full(9, -400.0) for name in shares})
    assert figure["data"][0]["hovertext"][0] == "1.00·10⁻⁴⁰⁰"
    assert figure["layout"]["barmode"] == "relative"
    np.testing.assert_allclose(sum(bar["y"] for bar in figure["data"]), 1)
    assert [bar["name"] for bar in figure["data"]] == ["cell path", "U<sub>f</sub>", "U<sub>i</sub>"]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low <= -0.2 and high >= 1.2
    assert "cell path 90 %" in figures.lane_shares_alt(shares)


def test_long_shares_are_averaged_and_steps_without_a_gradient_named() -> None:
    share = np.linspace(0, 1, 1000)
    bars = figures.lane_shares({"h": share, "update": 1 - share}, {"h": share, "update": share})["data"]
    np.testing.assert_allclose(bars[0]["y"], share.reshape(200, 5).mean(axis=1))
    none = figures.lane_shares({"c": np.full(9, np.nan)}, {"c": np.full(9, -np.inf)})
    assert "no gradient" in texts(none)
    assert figures.lane_shares_alt({"c": np.full(9, np.nan)}) == "There is no gradient."


def test_directions_start_at_step_one() -> None:
    figure = figures.directions(np.arange(-9.0, 0), np.full(9, -np.inf))
    assert figure["data"][DIRECTION_TRACES["along time"]]["x"].tolist() == list(range(1, 10))
    assert "downwards: ∂L/∂x<sub>t</sub> exactly 0" in texts(figure)
    assert "to the layer below exactly 0" in figures.directions_alt(np.zeros(9), np.full(9, -np.inf))


@settings(max_examples=20, deadline=None)
@given(st.lists(EXTREME, min_size=12, max_size=12))
def test_curves_in_decades_survive_anything(numbers: list[float]) -> None:
    one, two = np.array(numbers).reshape(2, 6)
    no_infinity(figures.lanes(lanes_of(one, two), 4))
    no_infinity(figures.directions(one, two))
    no_infinity(decade_lines([Line("a", one, style.BLUE, short="a")], name="x", title="x"))
    shares = {"c": np.clip(one, -9, 9), "forget": np.clip(two, -9, 9)}
    low, high = figures.lane_shares(shares, {"c": one, "forget": two})["layout"]["yaxis"]["range"]
    assert low < 0 and 1 < high <= 2


# ---- half-life ----


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bias", [-3.0, 0.0, 2.0, 9.5])
def test_half_life_is_the_closed_form_and_the_points_lie_on_it(bias: float, sign: int) -> None:
    figure = figures.forget_half_life(bias, 100, gate="update", sign=sign, half_life=3.0)
    curve, chrono, point, measured = (figure["data"][k] for k in HALF_LIFE_TRACES.values())
    for x, y in list(zip(curve["x"], curve["y"], strict=True))[::40]:
        assert 10**y == pytest.approx(half_life_of_forget_gate(sign * x), rel=1e-9)
    assert point["x"] == bias
    assert 10 ** point["y"][0] == pytest.approx(half_life_of_forget_gate(sign * bias))
    assert 10 ** measured["y"][0] == pytest.approx(3)
    assert curve["x"].min() < bias < curve["x"].max()
    assert (sign * chrono["x"] > 0).all()
    assert 10 ** chrono["y"].max() < 100


@pytest.mark.parametrize("life, said", [(np.inf, "∞ steps"), (np.nan, "no step: shut"), (2.5, "2.5 steps")])
def test_half_lives_off_the_axis_are_said(life: float, said: str) -> None:
    figure = figures.forget_half_life(1.0, 50, mean=0.4, half_life=life)
    assert f"measured 0.4: {said}" in texts(figure)
    assert np.isfinite(figure["layout"]["yaxis"]["range"]).all()
    assert said in figures.forget_half_life_alt(1.0, half_life=life)
    no_infinity(figure)


def test_plots_without_a_single_gate_are_none() -> None:
    assert figures.plot_forget_half_life(traced("peephole")) is None
    assert figures.plot_lanes(traced("rnn")) is None


# ---- one unit ----


def test_a_units_gradients_are_the_engines_and_split_by_sign() -> None:
    trace = traced(num_steps=30, weight_scale=3.0)
    gates, states, gradients, signs = unit_arrays(trace, 2, 1)
    for name in ("h", "c"):
        back = trace.backward
        exact = back.totals[name][:, 2, 1] * 2.0 ** back.exponents[:, 1]
        np.testing.assert_allclose(signs[name] * 10 ** gradients[name], exact, rtol=1e-9)
    np.testing.assert_array_equal(states["c"], trace.states["c"][:, 1, 2])
    figure = figures.unit(gates, states, gradients, signs)
    curves = {item["name"]: item for item in figure["data"]}
    plus, minus = curves["∂L/∂c"]["y"], curves["−∂L/∂c"]["y"]
    assert not (np.isfinite(plus) & np.isfinite(minus)).any()
    np.testing.assert_allclose(np.where(np.isfinite(plus), plus, minus), gradients["c"])
    np.testing.assert_array_equal(curves["forget f"]["y"], trace.gates["forget"][:, 1, 2])


def test_a_unit_that_nothing_reaches_says_so() -> None:
    trace = traced(hold="output=0", loss={"kind": "step", "step": 4})
    gates, states, gradients, signs = unit_arrays(trace, 0, 0)
    figure = figures.unit(gates, states, gradients, signs, held={"output": np.ones((9, 1), bool)})
    no_infinity(figure)
    assert "exactly 0" in texts(figure)
    assert any(shape["yref"] == "y domain" for shape in figure["layout"]["shapes"])
    assert "exactly 0" in figures.unit_alt(states, gradients, 0)


def test_a_state_that_is_always_zero_has_an_axis() -> None:
    gates, states, gradients, signs = unit_arrays(traced(hold="input=0"), 0, 0)
    assert not states["c"].any()
    low, high = figures.unit(gates, states, gradients, signs)["layout"]["yaxis2"]["range"]
    assert low <= -1 and high >= 1


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("kind", GATED)
def test_every_plot_is_a_valid_plotly_figure(kind: str, dark: bool) -> None:
    trace = traced(kind)
    for plot in (
        figures.plot_gate_maps(trace, dark=dark),
        figures.plot_gate_distribution(trace, trace.experiment.cell.gates[0], dark=dark),
        figures.plot_gate_distribution(trace, "h", dark=dark),
        figures.plot_lanes(trace, dark=dark),
        figures.plot_lane_shares(trace, dark=dark),
        figures.plot_directions(trace, dark=dark),
        figures.plot_unit(trace, 1, dark=dark),
    ):
        assert plot is not None and len(plot.data)
        assert "token:" not in plot.to_json()
